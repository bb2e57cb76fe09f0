#include "daemon/services/live_limits.hpp"

#include "daemon/domain/lxc_config.hpp"

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::services {
namespace {

/// What a control file says when no limit is set; a file that is not here cannot be given back while the container
/// runs.
const std::map<std::string, std::string>& unlimited() {
  static const std::map<std::string, std::string> values{
      {"cpu.max", "max 100000"}, {"cpu.weight", "100"},      {"cpuset.cpus", ""},
      {"io.weight", "100"},      {"memory.high", "max"},     {"memory.low", "0"},
      {"memory.max", "max"},     {"memory.swap.max", "max"}, {"pids.max", "max"}};
  return values;
}

/// Control files by their cgroup2 names, which the runtime translates where the host has cgroup v1; other lines
/// (prlimits) act at the next start.
Result<std::map<std::string, std::string>> control_files(const ConfigMap& config, LxcHostFacts host) {
  constexpr std::string_view kPrefix = "lxc.cgroup2.";
  host.unified_cgroups = true;
  BERTH_TRY(const auto lines, limit_lines(config, host));
  std::map<std::string, std::string> files;
  for (const auto& [key, value] : lines)
    if (key.starts_with(kPrefix)) files[key.substr(kPrefix.size())] = value;
  return files;
}

}  // namespace

Result<void> apply_live(Context& context, const Uuid& instance, const ConfigMap& before, const ConfigMap& after) {
  if (context.runtime.status(instance) == InstanceStatus::Stopped) return {};
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
  if (changes.empty()) return {};
  return context.runtime.apply_limits(instance, changes);
}

}  // namespace berth::services
