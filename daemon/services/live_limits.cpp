#include "daemon/services/live_limits.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "daemon/domain/lxc_config.hpp"

namespace berth::services {
namespace {

/// What a control file says when no limit is set; a file that is not here cannot be given back while the container runs.
const std::map<std::string, std::string>& unlimited() {
  static const std::map<std::string, std::string> values{
      {"cpu.max", "max 100000"},   {"cpu.weight", "100"},  {"io.weight", "100"},       {"memory.high", "max"},
      {"memory.max", "max"},       {"memory.low", "0"},    {"memory.swap.max", "max"}, {"pids.max", "max"},
      {"cpuset.cpus", ""},
      {"cpu.shares", "1024"},      {"cpu.cfs_quota_us", "-1"},
      {"memory.limit_in_bytes", "-1"}, {"memory.memsw.limit_in_bytes", "-1"}, {"memory.soft_limit_in_bytes", "-1"},
      {"blkio.weight", "500"}};
  return values;
}

/// Control files by name; other lines (prlimits) act at the next start.
Result<std::map<std::string, std::string>> control_files(const ConfigMap& config, const LxcHostFacts& host) {
  BERTH_TRY(const auto lines, limit_lines(config, host));
  std::map<std::string, std::string> files;
  for (const auto& [key, value] : lines) {
    for (const std::string prefix : {"lxc.cgroup2.", "lxc.cgroup."}) {
      if (!key.starts_with(prefix)) continue;
      files[key.substr(prefix.size())] = value;
      break;
    }
  }
  return files;
}

}  // namespace

Result<void> apply_live(Context& context, const Uuid& instance, const ConfigMap& before, const ConfigMap& after) {
  BERTH_TRY(const auto was, control_files(before, context.lxc_host));
  BERTH_TRY(const auto is, control_files(after, context.lxc_host));
  std::vector<std::pair<std::string, std::string>> changes;
  for (const auto& [file, value] : was) {
    if (is.contains(file)) continue;
    const auto reset = unlimited().find(file);
    if (reset != unlimited().end()) changes.emplace_back(file, reset->second);
  }
  for (const auto& [file, value] : is) {
    const auto old = was.find(file);
    if (old == was.end() || old->second != value) changes.emplace_back(file, value);
  }
  const auto status = context.runtime.status(instance);
  if (changes.empty() || status == InstanceStatus::Stopped) return {};
  return context.runtime.apply_limits(instance, changes);
}

}  // namespace berth::services
