#pragma once

#include <sys/types.h>

#include <map>
#include <string>

#include "base/result.hpp"
#include "daemon/ports/container_runtime.hpp"

namespace berth::lxc {

/// The folders of one running container's cgroups, v1 and v2. Reading them spawns nothing and asks nobody.
class GuestCgroup {
 public:
  /// Finds them from init's place. NotFound when init is gone.
  static Result<GuestCgroup> of(pid_t init);

  /// Memory, CPU time and process count; init_pid and status are the caller's. What a kernel does not count is 0.
  void read_usage(ports::RuntimeState& state) const;
  bool frozen() const;
  /// Writes the freezer and waits until it has done so; FailedPrecondition when it does not within 10 s.
  Result<void> set_frozen(bool frozen) const;
  /// Writes one control file, named as in cgroup2; a v1 hierarchy gets what says the same there.
  Result<void> apply(const std::string& file, const std::string& value) const;
  /// The folder below which liblxc made the container's, relative to the mount of each hierarchy.
  const std::string& parent() const { return parent_; }

 private:
  std::string v1(const std::string& controller) const;

  std::map<std::string, std::string> v1_;          ///< folders by controller
  std::string memory_, cpuacct_, pids_, freezer_;  ///< v1 folders read often; empty where the hierarchy does not exist
  std::string unified_;                            ///< v2 folder
  std::string parent_;
};

}  // namespace berth::lxc
