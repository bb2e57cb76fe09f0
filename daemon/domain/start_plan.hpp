#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "base/names.hpp"
#include "daemon/domain/idmap.hpp"
#include "daemon/domain/types.hpp"

namespace berth {

/// How the supervisor has to build a container's root file system.
struct RootSpec {
  enum class Kind { Plain, Overlay };
  Kind kind = Kind::Plain;
  std::string plain;  ///< Plain: the tree, ids unshifted; mounted by liblxc with rootfs.options idmap=container
  std::string lower;  ///< Overlay: the image's tree, read-only, ids unshifted
  std::string layer;  ///< Overlay: folder that holds `upper` and `work`, ids unshifted
};

/// Everything a supervisor needs to start one container. Made by services/start_plan from the expanded configuration;
/// sent to the supervisor as a sealed memfd when it asks (`prepare`).
struct StartPlan {
  Uuid uuid;
  ProjectName project;
  InstanceName name;
  RootSpec root;
  bool root_readonly = false;  ///< the guest cannot write to its root disk
  IdMap idmap;  ///< empty: privileged
  /// liblxc configuration in file order (`lxc.uts.name`, ...), without rootfs, idmap, log, console file and cgroup
  /// placement keys, which the supervisor derives from the fields above.
  std::vector<std::pair<std::string, std::string>> lxc_config;
  std::chrono::seconds host_shutdown_timeout{30};  ///< for a clean end when the host goes down; then it is killed
  std::string log_file;      ///< lxc.log of this start
  std::string console_file;  ///< console log
};

/// Why and how a container ended; what the supervisor's exit file says.
struct ExitReport {
  enum class Reason { Stopped, Rebooted, StartFailed, Killed, HostShutdown };
  Reason reason = Reason::Stopped;
  std::string message;  ///< StartFailed: last error lines of lxc.log
  Timestamp at{};
};

}  // namespace berth
