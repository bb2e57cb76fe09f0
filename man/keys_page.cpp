// Writes the manual page berth-config(7): every key of instances, profiles, devices, projects and the server, from the tables that
// validation reads. usage: keys-page VERSION >PAGE
//        keys-page --header >config_keys.hpp    the names alone, for the completion of the command line

#include <cstdio>
#include <string>
#include <string_view>

#include "daemon/domain/config_keys.hpp"
#include "daemon/domain/device_keys.hpp"
#include "daemon/domain/project_keys.hpp"
#include "daemon/domain/server_keys.hpp"

namespace {

using namespace berth;

/// Text that roff may not take for a request or an escape.
std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    if (c == '\\')
      safe += "\\e";
    else if (c == '-')
      safe += "\\-";
    else
      safe += c;
  }
  if (safe.starts_with('.') || safe.starts_with('\'')) safe.insert(0, "\\&");
  return safe;
}

std::string_view type_word(ValueType type) {
  switch (type) {
    case ValueType::Line: return "text";
    case ValueType::Text:
    case ValueType::Blob: return "lines of text";
    case ValueType::Bool: return "true or false";
    case ValueType::Int: return "number";
    case ValueType::Uint8: return "number, 0 to 255";
    case ValueType::Uint32: return "number, 32 bits";
    case ValueType::Priority: return "number, 0 to 10";
    case ValueType::OneOf: return "one of";
    case ValueType::Size: return "bytes, as 10MiB";
    case ValueType::Bits: return "bits a second, as 10Mbit";
    case ValueType::MemoryLimit: return "bytes, as 1GiB, or N%";
    case ValueType::CpuSet: return "count, or a set as 0-3,5";
    case ValueType::CpuAllowance: return "N%, or Nms/Nms";
    case ValueType::KernelLimit: return "soft:hard, or one for both";
    case ValueType::Cron: return "minute hour day month weekday, or @daily and its kind";
    case ValueType::Expiry: return "as 1w 2d";
    case ValueType::IdMapJson: return "id map as JSON";
    case ValueType::RawIdMap: return "lines: uid|gid|both HOST CONTAINER";
    case ValueType::RawLxc: return "lines: key = value";
  }
  return "text";
}

void print(std::string_view text) { (void)std::fwrite(text.data(), 1, text.size(), stdout); }

/// One key: its name in bold, its type and default beside it, what it means below.
void print_key(std::string_view name, ValueType type, std::string_view choices, std::string_view fallback,
               const std::string& marks, std::string_view description) {
  print(".TP\n.BR " + escaped(name) + " \" (" + escaped(choices.empty() ? type_word(type) : choices) +
        (fallback.empty() ? std::string() : ", default " + escaped(fallback)) + ")\"\n");
  print(escaped(description) + "." + (marks.empty() ? "" : " " + escaped(marks)) + "\n");
}

std::string support_mark(KeySupport support) {
  return support == KeySupport::Refused ? "This Berth has nothing that would act on it, and refuses it." : "";
}

std::string marks_of(const ConfigKey& key) {
  std::string marks = support_mark(key.support);
  const auto add = [&marks](std::string_view text) { marks += (marks.empty() ? "" : " ") + std::string(text); };
  if (key.live) add("Takes effect on a running container.");
  if (key.host_access != HostAccess::None) add("Reaches the host: needs the action configure-host-access.");
  if (!key.in_profiles) add("Not in profiles.");
  return marks;
}

/// An array of names that are not refused.
template <typename Keys>
void print_names(std::string_view array, const Keys& keys) {
  print("inline constexpr std::string_view " + std::string(array) + "[] = {\n");
  for (const auto& key : keys)
    if (key.support != KeySupport::Refused && std::string_view(key.name).find('*') == std::string_view::npos)
      print("    \"" + std::string(key.name) + "\",\n");
  print("};\n");
}

int print_header() {
  print("#pragma once\n\n#include <string_view>\n\nnamespace berth::cli {\n\n");
  print_names("kInstanceKeys", config_keys());
  print_names("kServerKeys", server_keys());
  print("\n}  // namespace berth::cli\n");
  return std::fflush(stdout) == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  if (std::string_view(argv[1]) == "--header") return print_header();
  print(".TH BERTH\\-CONFIG 7 \"\" \"Berth " + std::string(argv[1]) + "\" \"Configuration keys\"\n");
  print(
      ".SH NAME\nberth\\-config \\- keys of instances, profiles, devices, projects and the server\n"
      ".SH DESCRIPTION\nEvery value is a text. A key is set by\n.BR \"berth config set\" ,\n.BR \"berth profile set\" ,\nor through\n"
      ".BR org.berth.Berth1 (5)\nand the LXD API, and is checked against these tables. An empty value unsets it.\n");
  print(".SH INSTANCES AND PROFILES\n");
  for (const auto& key : config_keys())
    print_key(key.name, key.type, key.choices, key.fallback, marks_of(key), key.description);
  print(".SH DEVICES\n");
  std::string_view device;
  for (const auto& key : device_keys()) {
    if (key.device != device) print(".SS " + escaped(key.device) + "\n");
    device = key.device;
    print_key(key.name, key.type, key.choices, key.fallback, (key.required ? "Required. " : "") + support_mark(key.support),
              key.description);
  }
  print(".SH PROJECTS\nThe keys\n.B restricted.*\nhold in a project that has\n.BR restricted=true ;\ntheir default is what holds where they are unset.\n");
  for (const auto& key : project_keys())
    print_key(key.name, key.type, key.choices, key.fallback, support_mark(key.support), key.description);
  print(".SH SERVER\n");
  for (const auto& key : server_keys())
    print_key(key.name, key.type, {}, key.fallback, support_mark(key.support), key.description);
  print(".SH SEE ALSO\n.BR berth (1),\n.BR berthd (8),\n.BR org.berth.Berth1 (5)\n");
  return std::fflush(stdout) == 0 ? 0 : 1;
}
