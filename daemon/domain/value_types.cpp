#include "daemon/domain/value_types.hpp"

#include "base/names.hpp"
#include "daemon/domain/idmap.hpp"
#include "daemon/domain/schedule.hpp"
#include "daemon/domain/size.hpp"
#include "daemon/domain/words.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <string>

namespace berth {
namespace {

Error invalid(std::string message) { return Error{Code::InvalidArgument, std::move(message)}; }

template <typename Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

template <typename Number>
Result<void> check_number(std::string_view value) {
  if (number<Number>(value)) return {};
  return invalid("Invalid value for an integer: " + std::string(value));
}

Result<void> check_bool(std::string_view value) {
  constexpr std::array<std::string_view, 8> kWords{"true", "false", "yes", "no", "1", "0", "on", "off"};
  if (std::find(kWords.begin(), kWords.end(), lower_case(value)) != kWords.end()) return {};
  return invalid("Invalid value for a boolean \"" + std::string(value) + "\"");
}

Result<void> check_priority(std::string_view value) {
  const auto given = number<std::int64_t>(value);
  if (!given) return invalid("Invalid value for an integer: " + std::string(value));
  if (*given >= 0 && *given <= 10) return {};
  return invalid("Invalid value for a limit '" + std::string(value) + "'. Must be between 0 and 10");
}

Result<void> check_choice(std::string_view value, std::string_view choices) {
  std::string shown;
  for (const auto choice : split(choices, '|')) {
    if (choice == value) return {};
    shown += (shown.empty() ? "" : " ") + std::string(choice);
  }
  return invalid("Invalid value: " + std::string(value) + " (not one of [" + shown + "])");
}

template <typename Parser>
Result<void> check_parsed(Parser parser, std::string_view value) {
  if (auto parsed = parser(value); !parsed) return std::move(parsed).error();
  return {};
}

Result<void> check_memory(std::string_view value) {
  if (!value.ends_with('%')) return check_parsed(parse_size, value);
  const auto percent = number<std::uint64_t>(value.substr(0, value.size() - 1));
  if (percent && *percent > 0) return {};
  return invalid("Invalid value: " + std::string(value));
}

Result<void> check_cpus(std::string_view value) {
  for (const auto part : split(value, ',')) {
    const auto dash = part.find('-');
    const auto first = number<std::uint32_t>(part.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : number<std::uint32_t>(part.substr(dash + 1));
    if (!first || !last || *first > *last) return invalid("Invalid CPU limit syntax: " + std::string(value));
  }
  return {};
}

Result<void> check_allowance(std::string_view value) {
  const auto milliseconds = [](std::string_view text) {
    return text.ends_with("ms") ? number<std::uint32_t>(text.substr(0, text.size() - 2)) : std::nullopt;
  };
  bool valid = false;
  if (value.ends_with('%')) {
    const auto percent = number<std::uint32_t>(value.substr(0, value.size() - 1));
    valid = percent && *percent > 0;
  } else if (const auto slash = value.find('/'); slash != std::string_view::npos) {
    const auto quota = milliseconds(value.substr(0, slash));
    const auto period = milliseconds(value.substr(slash + 1));
    valid = quota && period && *quota > 0 && *period > 0;
  }
  if (valid) return {};
  return invalid("Invalid value: " + std::string(value) + " (use a share as 50% or a time as 25ms/100ms)");
}

Result<void> check_kernel_limit(std::string_view value) {
  const auto parts = split(value, ':');
  const auto valid = [](std::string_view part) { return part == "unlimited" || number<std::uint64_t>(part); };
  if (parts.size() <= 2 && std::all_of(parts.begin(), parts.end(), valid)) return {};
  return invalid("Invalid value: " + std::string(value) + " (use SOFT:HARD or one value, numbers or unlimited)");
}

/// Lines that are neither empty nor comments, without blanks at the ends.
std::vector<std::string_view> lines_of(std::string_view text) {
  auto lines = split(text, '\n');
  std::transform(lines.begin(), lines.end(), lines.begin(), trimmed);
  std::erase_if(lines, [](std::string_view line) { return line.empty() || line.starts_with('#'); });
  return lines;
}

/// How many ids `5` or `5-9` names.
std::optional<std::uint64_t> id_count(std::string_view text) {
  const auto dash = text.find('-');
  const auto first = number<std::uint32_t>(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : number<std::uint32_t>(text.substr(dash + 1));
  if (!first || !last || *first > *last) return std::nullopt;
  return std::uint64_t{*last} - *first + 1;
}

Result<void> check_raw_idmap(std::string_view value) {
  for (const auto line : lines_of(value)) {
    const auto words = split(line, ' ');
    const bool kind = words[0] == "uid" || words[0] == "gid" || words[0] == "both";
    const auto host = words.size() == 3 ? id_count(words[1]) : std::nullopt;
    const auto inside = words.size() == 3 ? id_count(words[2]) : std::nullopt;
    if (!kind || !host || !inside || host != inside)
      return invalid("Invalid raw.idmap line: " + std::string(line) + " (use uid|gid|both HOST CONTAINER)");
  }
  return {};
}

/// `lxc.net.0.ipv4.address` and its three relatives are the caller's, everything else of lxc.net is ours.
bool is_free_network_key(std::string_view key) {
  const auto rest = key.substr(std::string_view("lxc.net.").size());
  const auto dot = rest.find('.');
  if (dot == std::string_view::npos || !number<std::uint32_t>(rest.substr(0, dot))) return false;
  constexpr std::array<std::string_view, 4> kFree{"ipv4.address", "ipv4.gateway", "ipv6.address", "ipv6.gateway"};
  return std::find(kFree.begin(), kFree.end(), rest.substr(dot + 1)) != kFree.end();
}

bool is_owned_lxc_key(std::string_view key) {
  constexpr std::array<std::string_view, 5> kOwned{"lxc.logfile", "lxc.log.file", "lxc.syslog", "lxc.log.syslog",
                                                   "lxc.ephemeral"};
  if (std::find(kOwned.begin(), kOwned.end(), key) != kOwned.end()) return true;
  if (key.starts_with("lxc.prlimit.") || key.starts_with("lxc.network.")) return true;
  return key.starts_with("lxc.net.") && !is_free_network_key(key);
}

Result<void> check_raw_lxc(std::string_view value) {
  for (const auto line : lines_of(value)) {
    const auto equals = line.find('=');
    const auto key = lower_case(trimmed(line.substr(0, equals)));
    if (equals == std::string_view::npos || key.empty()) return invalid("Invalid raw.lxc line: " + std::string(line));
    if (is_owned_lxc_key(key)) return invalid("Setting " + key + " is not allowed in raw.lxc");
  }
  return {};
}

/// Rule 7 of the security rules, for every value there is.
Result<void> check_characters(ValueType type, std::string_view value) {
  std::string_view allowed;
  if (type == ValueType::Text) allowed = "\n\r\t";
  if (type == ValueType::Blob || type == ValueType::RawIdMap || type == ValueType::RawLxc) allowed = "\n\t";
  for (const char c : value)
    if (has_control_characters({&c, 1}) && allowed.find(c) == std::string_view::npos)
      return invalid("Control characters are not allowed in a value");
  return {};
}

}  // namespace

bool is_true(std::string_view value) {
  const auto text = lower_case(value);
  return text == "true" || text == "1" || text == "yes" || text == "on";
}

Result<void> validate_value(ValueType type, std::string_view value, std::string_view choices) {
  BERTH_CHECK(check_characters(type, value));
  if (value.empty()) return {};
  switch (type) {
    case ValueType::Line:
    case ValueType::Text:
    case ValueType::Blob: return {};
    case ValueType::Bool: return check_bool(value);
    case ValueType::Int: return check_number<std::int64_t>(value);
    case ValueType::Uint8: return check_number<std::uint8_t>(value);
    case ValueType::Uint32: return check_number<std::uint32_t>(value);
    case ValueType::Priority: return check_priority(value);
    case ValueType::OneOf: return check_choice(value, choices);
    case ValueType::Size: return check_parsed(parse_size, value);
    case ValueType::Bits: return check_parsed(parse_bits, value);
    case ValueType::MemoryLimit: return check_memory(value);
    case ValueType::CpuSet: return check_cpus(value);
    case ValueType::CpuAllowance: return check_allowance(value);
    case ValueType::KernelLimit: return check_kernel_limit(value);
    case ValueType::Cron: return validate_schedule(value);
    case ValueType::Expiry: return validate_expiry(value);
    case ValueType::IdMapJson: return check_parsed(idmap_from_json, value);
    case ValueType::RawIdMap: return check_raw_idmap(value);
    case ValueType::RawLxc: return check_raw_lxc(value);
  }
  return {};
}

}  // namespace berth
