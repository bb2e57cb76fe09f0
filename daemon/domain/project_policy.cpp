#include "daemon/domain/project_policy.hpp"

#include "daemon/domain/config_keys.hpp"
#include "daemon/domain/id_ranges.hpp"
#include "daemon/domain/policy.hpp"
#include "daemon/domain/project_keys.hpp"
#include "daemon/domain/size.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

namespace berth {
namespace {

std::string value_of(const ConfigMap& config, const std::string& key) {
  const auto found = config.find(key);
  return found == config.end() ? std::string{} : found->second;
}

std::string quoted(const std::string& text) { return "\"" + text + "\""; }

Error over_limit(std::string text) { return Error{Code::FailedPrecondition, std::move(text)}; }
Error forbidden(std::string text) { return Error{Code::AccessDenied, std::move(text)}; }

std::optional<std::uint64_t> parse_count(const std::string& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// Limits that are sums of what each instance is limited to.
constexpr std::array kSums{"limits.cpu", "limits.memory", "limits.processes"};

std::optional<std::uint64_t> parse_limit(const std::string& key, const std::string& text) {
  if (key != "limits.memory") return parse_count(text);
  const auto size = parse_size(text);
  return size ? std::optional<std::uint64_t>(*size) : std::nullopt;
}

std::uint64_t plus(std::uint64_t a, std::uint64_t b) {
  return b > std::numeric_limits<std::uint64_t>::max() - a ? std::numeric_limits<std::uint64_t>::max() : a + b;
}

Result<void> judge_sum(const Project& project, const ProjectContents& contents, const std::string& key) {
  const auto text = value_of(project.config, key);
  if (text.empty()) return {};
  std::uint64_t sum = 0;
  for (const auto& instance : contents.instances) {
    const auto own = value_of(instance.final.config, key);
    const auto about = " instance " + quoted(instance.name) + " in project " + quoted(project.name.str());
    if (own.empty()) return over_limit("The" + about + " has no " + quoted(key) + " config, either directly or via a profile");
    const auto number = parse_limit(key, own);
    if (!number) return over_limit("Failed parsing " + quoted(key) + " for" + about + ": it must be a plain amount");
    sum = plus(sum, *number);
  }
  const auto limit = parse_limit(key, text);
  if (!limit || sum > *limit)
    return over_limit("Reached maximum aggregate value " + quoted(text) + " for " + quoted(key) + " in project " +
                      quoted(project.name.str()));
  return {};
}

Result<void> judge_limits(const Project& project, const ProjectContents& contents) {
  const auto exceeded = [&](const char* key) {
    const auto limit = parse_count(value_of(project.config, key));
    return limit && contents.instances.size() > *limit;
  };
  if (exceeded("limits.containers"))
    return over_limit("Reached maximum number of instances of type \"container\" in project " + quoted(project.name.str()));
  if (exceeded("limits.instances"))
    return over_limit("Reached maximum number of instances in project " + quoted(project.name.str()));
  for (const auto* key : kSums) BERTH_CHECK(judge_sum(project, contents, key));
  return {};
}

/// One restricted project's judge of objects.
class Judge {
 public:
  explicit Judge(const Project& project) : project_(project) {}

  Result<void> operator()(const std::string& kind, const ProjectMember& member) const {
    const auto place = " on " + kind + " " + quoted(member.name) + " of project " + quoted(project_.name.str());
    for (const auto& [key, value] : member.final.config)
      if (!value.empty()) BERTH_CHECK(config(key, value, place));
    BERTH_CHECK(reach(member.final.config, place));
    // Unlike a value that is wrong, a key that is absent can only be seen where all of them are known.
    if (kind == "container" && is("restricted.containers.privilege", "isolated") &&
        !config_flag(member.final.config, "security.idmap.isolated"))
      return forbidden("Missing \"security.idmap.isolated\"" + place + ": Non-isolated containers are forbidden");
    for (const auto& [name, keys] : member.final.devices)
      if (const auto verdict = device(keys); !verdict)
        return Error(verdict.error()).within("Invalid device " + quoted(name) + place);
    return {};
  }

 private:
  bool is(std::string_view key, std::string_view value) const { return restriction_value(project_.config, key) == value; }

  Result<void> config(const std::string& key, const std::string& value, const std::string& place) const {
    const auto wrong = [&](const char* why) {
      return forbidden("Invalid value " + quoted(value) + " for config " + quoted(key) + place + ": " + why);
    };
    if (key == "security.nesting" && is_true(value) && is("restricted.containers.nesting", "block"))
      return wrong("Container nesting is forbidden");
    if (key == "security.privileged" && is_true(value) && !is("restricted.containers.privilege", "allow"))
      return wrong("Privileged containers are forbidden");
    if (key == "security.idmap.isolated" && !is_true(value) && is("restricted.containers.privilege", "isolated"))
      return wrong("Non-isolated containers are forbidden");
    if (key.starts_with("security.syscalls.intercept.") && is_true(value)) {
      const bool mounts = key.starts_with("security.syscalls.intercept.mount");
      if (is("restricted.containers.interception", "block") || (mounts && !is("restricted.containers.interception", "full")))
        return wrong("Container syscall interception is forbidden");
    }
    if (is("restricted.containers.lowlevel", "allow")) return {};
    if (key == "raw.idmap") return raw_idmap(value, place);
    if (is_low_level(key)) return forbidden("Use of low-level config " + quoted(key) + place + " is forbidden");
    return {};
  }

  static bool is_low_level(const std::string& key) {
    constexpr std::array kKeys{"boot.host_shutdown_timeout", "linux.kernel_modules", "security.devlxd.images",
                               "security.idmap.base", "security.idmap.size"};
    if (key.starts_with("raw.")) return true;
    if (key.starts_with("security.syscalls.") && !key.starts_with("security.syscalls.intercept.")) return true;
    return std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end();
  }

  /// Whatever else reaches past the container, though LXD has no word for it here.
  Result<void> reach(const ConfigMap& keys, const std::string& place) const {
    if (is("restricted.containers.lowlevel", "allow")) return {};
    for (const auto& [name, value] : host_access(Expanded{keys, {}})) {
      const bool judged = name == "security.nesting" || name == "security.privileged" || name == "raw.idmap" ||
                          name.starts_with("security.syscalls.intercept.");
      // What the server itself recorded is nobody's wish.
      if (judged || name.starts_with("volatile.")) continue;
      return forbidden("Use of low-level config " + quoted(name) + place + " is forbidden");
    }
    return {};
  }

  Result<void> raw_idmap(const std::string& value, const std::string& place) const {
    BERTH_TRY(const auto lines, parse_raw_idmap(value));
    BERTH_TRY(const auto uids, parse_id_ranges(restriction_value(project_.config, "restricted.idmap.uid")));
    BERTH_TRY(const auto gids, parse_id_ranges(restriction_value(project_.config, "restricted.idmap.gid")));
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const auto& line = lines[i];
      if ((line.uids && !within_ranges(line.host, uids)) || (line.gids && !within_ranges(line.host, gids)))
        return forbidden("Use of low-level \"raw.idmap\" element " + std::to_string(i) + place + " is forbidden");
    }
    return {};
  }

  Result<void> device(const ConfigMap& keys) const {
    struct Type {
      const char* name;
      const char* shown;
    };
    constexpr std::array kTypes{Type{"unix-char", "Unix character devices"}, Type{"unix-block", "Unix block devices"},
                                Type{"unix-hotplug", "Unix hotplug devices"}, Type{"infiniband", "Infiniband devices"},
                                Type{"gpu", "GPU devices"},                   Type{"usb", "USB devices"},
                                Type{"pci", "PCI devices"},                   Type{"proxy", "Proxy devices"}};
    const auto type = value_of(keys, "type");
    for (const auto& row : kTypes)
      if (type == row.name && !is("restricted.devices." + type, "allow"))
        return forbidden(std::string(row.shown) + " are forbidden");
    if (type == "nic") return nic(keys);
    if (type == "disk") return disk(keys);
    return {};
  }

  Result<void> nic(const ConfigMap& keys) const {
    const auto network = value_of(keys, "network");
    if (is("restricted.devices.nic", "block")) return forbidden("Network devices are forbidden");
    if (is("restricted.devices.nic", "managed") && network.empty()) return forbidden("Only managed network devices are allowed");
    const auto access = value_of(project_.config, "restricted.networks.access");
    if (access.empty()) return {};
    const auto used = network.empty() ? value_of(keys, "parent") : network;
    for (std::size_t at = 0; at <= access.size();) {
      const auto end = std::min(access.find(',', at), access.size());
      if (std::string_view(access).substr(at, end - at) == used && !used.empty()) return {};
      at = end + 1;
    }
    return forbidden("Network not allowed in project");
  }

  Result<void> disk(const ConfigMap& keys) const {
    const bool of_a_pool = !value_of(keys, "pool").empty();
    if (of_a_pool && value_of(keys, "path") == "/") return {};
    if (is("restricted.devices.disk", "block")) return forbidden("Disk devices are forbidden");
    if (is("restricted.devices.disk", "managed") && !of_a_pool)
      return forbidden("Attaching disks not backed by a pool is forbidden");
    return {};
  }

  const Project& project_;
};

bool is_restricted(const Project& project) { return is_true(value_of(project.config, "restricted")); }

Result<void> judge_right(const Project& project, const char* key, const char* what) {
  if (!is_restricted(project) || restriction_value(project.config, key) == "allow") return {};
  return forbidden("Project " + quoted(project.name.str()) + " doesn't allow for " + what + " creation");
}

std::int64_t as_int(std::uint64_t number) {
  return static_cast<std::int64_t>(std::min<std::uint64_t>(number, std::numeric_limits<std::int64_t>::max()));
}

}  // namespace

bool has_rules(const Project& project) {
  if (is_restricted(project)) return true;
  return std::any_of(project.config.begin(), project.config.end(),
                     [](const auto& entry) { return entry.first.starts_with("limits.") && !entry.second.empty(); });
}

Result<void> judge_project(const Project& project, const ProjectContents& contents) {
  BERTH_CHECK(judge_limits(project, contents));
  if (!is_restricted(project)) return {};
  const Judge judge(project);
  for (const auto& instance : contents.instances) BERTH_CHECK(judge("container", instance));
  for (const auto& profile : contents.profiles) BERTH_CHECK(judge("profile", profile));
  return {};
}

Result<void> judge_snapshots(const Project& project) { return judge_right(project, "restricted.snapshots", "snapshot"); }
Result<void> judge_backups(const Project& project) { return judge_right(project, "restricted.backups", "backup"); }

std::map<std::string, ProjectUsage> project_usage(const Project& project, const ProjectContents& contents) {
  std::map<std::string, ProjectUsage> usage;
  for (const auto* name : {"containers", "cpu", "disk", "instances", "memory", "networks", "processes", "virtual-machines"}) {
    const auto key = "limits." + std::string(name);
    auto& row = usage[name];
    if (const auto limit = parse_limit(key, value_of(project.config, key)); limit && !value_of(project.config, key).empty())
      row.limit = as_int(*limit);
    if (std::find(kSums.begin(), kSums.end(), key) == kSums.end()) continue;
    std::uint64_t sum = 0;
    for (const auto& instance : contents.instances) {
      const auto own = value_of(instance.final.config, key);
      if (!own.empty()) sum = plus(sum, parse_limit(key, own).value_or(0));
    }
    row.usage = as_int(sum);
  }
  usage["containers"].usage = usage["instances"].usage = as_int(contents.instances.size());
  return usage;
}

}  // namespace berth
