#include "cli/instance_table.hpp"

#include "cli/output/text.hpp"
#include "cli/output/units.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

namespace berth::cli {
namespace {

std::string shown(const Json& instance, std::string_view name) { return printable(text_of(instance, name)); }

bool is_active(const Json& instance) {
  const auto status = text_of(instance, "status");
  return status != "Stopped" && status != "Error" && !status.empty();
}

/// The state of a running instance, or null.
const Json& state_of(const Json& instance) {
  static const Json kNone;
  return is_active(instance) ? child_of(instance, "state") : kNone;
}

std::string addresses(const Json& instance, const char* family) {
  std::vector<std::string> lines;
  const auto& networks = child_of(state_of(instance), "network");
  if (!networks.is_object()) return {};
  for (const auto& [name, network] : networks.items()) {
    if (text_of(network, "type") == "loopback") continue;
    for (const auto& address : child_of(network, "addresses")) {
      const auto scope = text_of(address, "scope");
      if (scope == "link" || scope == "local" || text_of(address, "family") != family) continue;
      lines.push_back(printable(text_of(address, "address") + " (" + name + ')'));
    }
  }
  std::sort(lines.rbegin(), lines.rend());
  return join(lines, "\n");
}

/// Name and keys of the disk that is the instance's root.
std::pair<std::string, Json> root_disk(const Json& instance) {
  const auto& devices = child_of(instance, "expanded_devices");
  if (devices.is_object())
    for (const auto& [name, device] : devices.items())
      if (text_of(device, "type") == "disk" && text_of(device, "path") == "/") return {name, device};
  return {};
}

std::string disk_usage(const Json& instance) {
  const auto& disks = child_of(child_of(instance, "state"), "disk");
  const auto usage = number_of(child_of(disks, root_disk(instance).first), "usage");
  return usage > 0 ? size_text(usage) : "";
}

std::string memory_usage(const Json& instance) {
  const auto usage = number_of(child_of(state_of(instance), "memory"), "usage");
  return usage > 0 ? size_text(usage) : "";
}

std::string memory_share(const Json& instance) {
  const auto usage = number_of(child_of(state_of(instance), "memory"), "usage");
  const auto limit = size_of_text(text_of(child_of(instance, "expanded_config"), "limits.memory"));
  if (usage <= 0 || limit <= 0) return {};
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f%%", static_cast<double>(usage) / static_cast<double>(limit) * 100.0);
  return text.data();
}

std::string cpu_usage(const Json& instance) {
  const auto usage = number_of(child_of(state_of(instance), "cpu"), "usage");
  return usage > 0 ? std::to_string(usage / 1'000'000'000) + 's' : "";
}

std::string state_number(const Json& instance, const char* name) {
  const auto& state = state_of(instance);
  return state.is_object() ? std::to_string(number_of(state, name)) : "";
}

std::string type_text(const Json& instance) {
  const auto type = text_of(instance, "type");
  return upper(printable(type.empty() ? "container" : type)) + (flag_of(instance, "ephemeral") ? " (EPHEMERAL)" : "");
}

std::string profile_lines(const Json& instance) {
  std::vector<std::string> lines;
  for (const auto& profile : child_of(instance, "profiles"))
    if (profile.is_string()) lines.push_back(printable(profile.get<std::string>()));
  return join(lines, "\n");
}

std::string base_image(const Json& instance, std::size_t length) {
  return printable(text_of(child_of(instance, "config"), "volatile.base_image").substr(0, length));
}

const Column* find_column(char letter) {
  static const std::vector<std::pair<char, Column>> columns{
      {'4', {"IPV4", [](const Json& i) { return addresses(i, "inet"); }, true}},
      {'6', {"IPV6", [](const Json& i) { return addresses(i, "inet6"); }, true}},
      {'a', {"ARCHITECTURE", [](const Json& i) { return shown(i, "architecture"); }}},
      {'b', {"STORAGE POOL", [](const Json& i) { return shown(root_disk(i).second, "pool"); }}},
      {'c', {"CREATED AT", [](const Json& i) { return minute_text(text_of(i, "created_at")); }}},
      {'d', {"DESCRIPTION", [](const Json& i) { return shown(i, "description"); }}},
      {'D', {"DISK USAGE", disk_usage, true}},
      {'e', {"PROJECT", [](const Json& i) { return shown(i, "project"); }}},
      {'f', {"BASE IMAGE", [](const Json& i) { return base_image(i, 12); }}},
      {'F', {"BASE IMAGE", [](const Json& i) { return base_image(i, std::string::npos); }}},
      {'l', {"LAST USED AT", [](const Json& i) { return minute_text(text_of(i, "last_used_at")); }}},
      {'m', {"MEMORY USAGE", memory_usage, true}},
      {'M', {"MEMORY USAGE%", memory_share, true}},
      {'n', {"NAME", [](const Json& i) { return shown(i, "name"); }}},
      {'N', {"PROCESSES", [](const Json& i) { return state_number(i, "processes"); }, true}},
      {'p', {"PID", [](const Json& i) { return state_number(i, "pid"); }, true}},
      {'P', {"PROFILES", profile_lines}},
      {'S', {"SNAPSHOTS", [](const Json& i) { return std::to_string(child_of(i, "snapshots").size()); }, true}},
      {'s', {"STATE", [](const Json& i) { return upper(shown(i, "status")); }}},
      {'t', {"TYPE", type_text}},
      {'u', {"CPU USAGE", cpu_usage, true}},
  };
  for (const auto& [name, column] : columns)
    if (name == letter) return &column;
  return nullptr;
}

/// A value of somebody's own, whose lines are kept.
std::string cell_of(const std::string& value) {
  auto lines = split(value, '\n');
  for (auto& line : lines) line = printable(line);
  return join(lines, "\n");
}

/// The text of a key in the instance's own or else its expanded part.
std::string value_of(const Json& instance, bool device, const std::string& key) {
  for (const std::string prefix : {"", "expanded_"}) {
    const auto& map = child_of(instance, prefix + (device ? "devices" : "config"));
    const auto dot = device ? key.find('.') : std::string::npos;
    const auto& place = device ? child_of(map, key.substr(0, dot)) : map;
    const auto& value = child_of(place, device ? key.substr(dot + 1) : key);
    if (value.is_string()) return value.get<std::string>();
  }
  return {};
}

Result<Column> key_column(const std::string& text) {
  auto parts = split(text, ':');
  bool device = false;
  if ((parts.front() == "config" || parts.front() == "devices") && parts.size() > 1) {
    device = parts.front() == "devices";
    parts.erase(parts.begin());
  }
  if (parts.size() > 3)
    return Error{Code::InvalidArgument, "Invalid config key column format (too many fields): '" + text + "'"};
  const auto key = parts.front();
  auto name = parts.size() > 1 ? parts[1] : key;
  if (parts.size() == 2 && name.empty())
    return Error{Code::InvalidArgument,
                 "Invalid name in '" + text + "', empty string is only allowed when defining maxWidth"};
  long width = -1;
  if (parts.size() == 3) {
    const auto& digits = parts[2];
    const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), width);
    if (end.ec != std::errc{} || end.ptr != digits.data() + digits.size() || width < -1)
      return Error{Code::InvalidArgument,
                   "Invalid max width (must be -1, 0 or a positive integer) '" + digits + "' in '" + text + "'"};
    if (width == 0) width = static_cast<long>(name.size());
  }
  const auto most = width < 0 ? std::string::npos : static_cast<std::size_t>(width);
  return Column{.name = std::move(name), .cell = [key, device, most](const Json& i) {
                  return cell_of(value_of(i, device, key).substr(0, most));
                }};
}

}  // namespace

Result<std::vector<Column>> parse_columns(const std::string& text) {
  std::vector<Column> columns;
  for (const auto& entry : split(text, ',')) {
    if (entry.empty())
      return Error{Code::InvalidArgument,
                   "Empty column entry (redundant, leading or trailing command) in '" + text + "'"};
    // A key always has a dot; without one the entry is letters.
    if (entry.find('.') != std::string::npos) {
      BERTH_TRY(auto column, key_column(entry));
      columns.push_back(std::move(column));
      continue;
    }
    for (const char letter : entry) {
      if (letter == 'L') return Error{Code::InvalidArgument, "Can't specify column L when not clustered"};
      const auto* const column = find_column(letter);
      if (!column)
        return Error{Code::InvalidArgument,
                     std::string("Unknown column shorthand char '") + letter + "' in '" + entry + "'"};
      columns.push_back(*column);
    }
  }
  return columns;
}

}  // namespace berth::cli
