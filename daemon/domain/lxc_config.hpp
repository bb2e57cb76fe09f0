#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/names.hpp"
#include "base/result.hpp"
#include "daemon/domain/types.hpp"

namespace berth {

/// What of this machine shapes a container's configuration; found once when the daemon starts.
struct LxcHostFacts {
  bool unified_cgroups = false;          ///< v2 has the controllers
  std::set<std::string> controllers;     ///< cgroup controllers there are, v1 or v2 (`memory`, `pids`...)
  bool swap_accounting = false;          ///< the memory controller counts swap
  bool cgroup_namespaces = true;
  bool in_user_namespace = false;        ///< Berth itself is in an unprivileged container
  std::set<std::string> present_paths;   ///< those of lxc_host_paths() that exist
  std::uint64_t memory_bytes = 0;        ///< what percentages are of
  std::vector<unsigned> cpus;            ///< usable ones, the least loaded first
};

/// The host paths that a container gets to see where they exist.
const std::vector<std::string>& lxc_host_paths();

/// What one container's configuration is made from.
struct LxcConfigRequest {
  InstanceName name;
  ConfigMap config;                  ///< expanded
  std::string architecture;          ///< kernel name
  bool privileged = false;           ///< it has no id map
  std::string seccomp_file;          ///< where the caller wrote seccomp_policy(); empty when there is none
};

using LxcConfig = std::vector<std::pair<std::string, std::string>>;

/// liblxc's configuration in file order, raw.lxc last: everything but the root, the id map, the log and console files, the
/// cgroup's place and the hooks, which the supervisor adds in front, and devices. Pure. The configuration has been
/// validated (config_keys.hpp); a value that is out of shape all the same is InvalidArgument.
Result<LxcConfig> make_lxc_config(const LxcConfigRequest& request, const LxcHostFacts& host);

/// The `lxc.prlimit.*`, `lxc.cgroup.*` and `lxc.cgroup2.*` lines of limits.*, which a running container can be given too.
Result<LxcConfig> limit_lines(const ConfigMap& config, const LxcHostFacts& host);

/// A control file of cgroup2 and its value (`memory.max`, `max` or bytes) as what says the same in cgroup v1. The same
/// name where it is the same there, nothing where v1 has no such thing. InvalidArgument for a value out of shape.
Result<LxcConfig> v1_control_files(const std::string& file, const std::string& value);

/// The text of the seccomp policy file; nullopt when the container goes without one. NotSupported for
/// security.syscalls.deny_compat: libseccomp knows no name for the 32-bit entries as a whole.
Result<std::optional<std::string>> seccomp_policy(const ConfigMap& config);

}  // namespace berth
