#include "cli/commands/commands.hpp"
#include "cli/commands/shared.hpp"
#include "cli/names.hpp"
#include "cli/output/table.hpp"
#include "cli/output/text.hpp"
#include "cli/output/units.hpp"
#include "cli/output/yaml.hpp"
#include "cli/terminal.hpp"

#include <algorithm>

namespace berth::cli {
namespace {

std::string line(const std::string& indent, const std::string& name, const std::string& value) {
  return indent + name + ": " + printable(value) + '\n';
}

std::string size_line(const std::string& name, std::int64_t bytes) {
  return bytes == 0 ? std::string() : line("    ", name, size_text(bytes));
}

/// A heading with its lines, or nothing when there are none.
std::string section(const std::string& name, const std::string& lines) {
  return lines.empty() ? std::string() : "  " + name + ":\n" + lines;
}

std::string disk_lines(const Json& state) {
  std::string text;
  const auto& disks = child_of(state, "disk");
  if (!disks.is_object()) return text;
  for (const auto& [name, disk] : disks.items()) text += size_line(printable(name), number_of(disk, "usage"));
  return text;
}

std::string network_lines(const Json& state) {
  std::string text;
  const auto& networks = child_of(state, "network");
  if (!networks.is_object()) return text;
  for (const auto& [name, network] : networks.items()) {
    const std::string indent = "      ";
    text += "    " + printable(name) + ":\n";
    text += line(indent, "Type", text_of(network, "type"));
    text += line(indent, "State", upper(text_of(network, "state")));
    if (const auto host = text_of(network, "host_name"); !host.empty()) text += line(indent, "Host interface", host);
    if (const auto address = text_of(network, "hwaddr"); !address.empty()) text += line(indent, "MAC address", address);
    if (const auto mtu = number_of(network, "mtu"); mtu != 0) text += line(indent, "MTU", std::to_string(mtu));
    const auto& counters = child_of(network, "counters");
    text += line(indent, "Bytes received", size_text(number_of(counters, "bytes_received")));
    text += line(indent, "Bytes sent", size_text(number_of(counters, "bytes_sent")));
    text += line(indent, "Packets received", std::to_string(number_of(counters, "packets_received")));
    text += line(indent, "Packets sent", std::to_string(number_of(counters, "packets_sent")));
    text += indent + "IP addresses:\n";
    for (const auto& address : child_of(network, "addresses"))
      text += indent + "  " +
              printable(text_of(address, "family") + (text_of(address, "family") == "inet" ? ":  " : ": ") +
                        text_of(address, "address") + '/' + text_of(address, "netmask") + " (" +
                        text_of(address, "scope") + ')') +
              '\n';
  }
  return text;
}

std::string resources(const Json& state) {
  const auto& memory = child_of(state, "memory");
  auto text = "\nResources:\n" + line("  ", "Processes", std::to_string(number_of(state, "processes")));
  text += section("Disk usage", disk_lines(state));
  if (const auto cpu = number_of(child_of(state, "cpu"), "usage"); cpu != 0)
    text += section("CPU usage", line("    ", "CPU usage (in seconds)", std::to_string(cpu / 1'000'000'000)));
  text += section("Memory usage", size_line("Memory (current)", number_of(memory, "usage")) +
                                      size_line("Memory (peak)", number_of(memory, "usage_peak")) +
                                      size_line("Swap (current)", number_of(memory, "swap_usage")) +
                                      size_line("Swap (peak)", number_of(memory, "swap_usage_peak")));
  text += section("Network usage", network_lines(state));
  return text;
}

std::string own_name(const Json& object) {
  const auto name = text_of(object, "name");
  return printable(name.substr(name.rfind('/') + 1));
}

std::string time_cell(const Json& object, const char* name) {
  const auto time = minute_text(text_of(object, name));
  return time.empty() ? " " : time;
}

std::string yes_or_no(const Json& object, const char* name) { return flag_of(object, name) ? "YES" : "NO"; }

std::string snapshot_table(const Json& snapshots) {
  if (!snapshots.is_array() || snapshots.empty()) return {};
  std::vector<Row> rows;
  for (const auto& snapshot : snapshots)
    rows.push_back({own_name(snapshot), time_cell(snapshot, "created_at"), time_cell(snapshot, "expires_at"),
                    yes_or_no(snapshot, "stateful")});
  return "\nSnapshots:\n" + table_text({"NAME", "TAKEN AT", "EXPIRES AT", "STATEFUL"}, rows);
}

std::string backup_table(const Json& backups) {
  if (!backups.is_array() || backups.empty()) return {};
  std::vector<Row> rows;
  for (const auto& backup : backups)
    rows.push_back({own_name(backup), time_cell(backup, "created_at"), time_cell(backup, "expires_at"),
                    yes_or_no(backup, "instance_only"), yes_or_no(backup, "optimized_storage")});
  return "\nBackups:\n" + table_text({"NAME", "TAKEN AT", "EXPIRES AT", "INSTANCE ONLY", "OPTIMIZED STORAGE"}, rows);
}

std::string describe(const Json& instance) {
  const auto& state = child_of(instance, "state");
  auto text = line("", "Name", text_of(instance, "name"));
  text += line("", "Status", upper(text_of(instance, "status")));
  text += line("", "Type", text_of(instance, "type") + (flag_of(instance, "ephemeral") ? " (ephemeral)" : ""));
  text += line("", "Architecture", text_of(instance, "architecture"));
  if (const auto pid = number_of(state, "pid"); pid != 0) text += line("", "PID", std::to_string(pid));
  if (const auto created = minute_text(text_of(instance, "created_at")); !created.empty())
    text += line("", "Created", created);
  if (const auto used = minute_text(text_of(instance, "last_used_at")); !used.empty())
    text += line("", "Last Used", used);
  if (number_of(state, "pid") != 0) text += resources(state);
  text += snapshot_table(child_of(instance, "snapshots"));
  text += backup_table(child_of(instance, "backups"));
  return text;
}

Result<int> info_of_instance(Server& server, const std::string& name, bool show_log) {
  const auto path = api_path("instances", name);
  BERTH_TRY(const auto instance, server.get(path + "?recursion=1"));
  print(describe(instance));
  if (!show_log) return 0;
  BERTH_TRY(const auto log, server.get_text(path + "/logs/lxc.log"));
  print("\nLog:\n\n");
  print_foreign(log);
  print("\n");
  return 0;
}

}  // namespace

Command info_command() {
  struct Flags {
    bool show_log = false;
    bool resources = false;
  };
  const auto flags = std::make_shared<Flags>();
  return {.name = "info",
          .aliases = {},
          .arguments = "[<remote>:][<instance>]",
          .summary = "Show instance or server information",
          .description = "",
          .examples =
              "berth info web [--show-log]\n    For instance information.\n\nberth info\n    For server information.",
          .least = 0,
          .most = 1,
          .flags = {{"--resources", &flags->resources, "Show the resources available to the server"},
                    {"--show-log", &flags->show_log, "Show the instance's last 100 log lines"}},
          .run = [flags](Context& context, const Strings& arguments) -> Result<int> {
            BERTH_TRY(const auto place, context.place(arguments.empty() ? "" : arguments.front()));
            if (!place.name.empty()) return info_of_instance(*place.server, place.name, flags->show_log);
            BERTH_TRY(const auto object, place.server->get(flags->resources ? "/1.0/resources" : "/1.0"));
            print(flags->resources ? yaml_text(object) : yaml_text(object, kServer));
            return 0;
          },
          .commands = {}};
}

}  // namespace berth::cli
