#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "daemon/domain/start_plan.hpp"
#include "daemon/domain/supervisor_protocol.hpp"

namespace berth::supervisor {

/// How the process that ran liblxc's start ended (its exit status).
enum class StartStatus : int { Ended = 0, Rebooted = 64, Failed = 65 };

/// What a start needs beside its plan.
struct StartSurroundings {
  RuntimePaths paths;
  std::string hook;           ///< path of berth-hook
  std::string cgroup_parent;  ///< folder in each hierarchy, without a leading slash
};

/// A process of ours and the pipe it reports on.
struct Reporter {
  pid_t pid = 0;
  UniqueFd report;
};

/// Forks the process that builds the root and stays in liblxc's foreground start for the container's whole life. It dies
/// with its parent. Its report: an error text when it failed before liblxc began, else nothing.
/// The caller has one thread and may have other children; this one must not, so nothing else forks from it.
Result<Reporter> start_container(const StartPlan& plan, const StartSurroundings& around);

/// Forks a process that asks liblxc each millisecond whether the container runs. Its report: init's host pid as decimal
/// text. It must be no child of the process in liblxc's start, which waits for all its children when a start fails.
Result<Reporter> watch_for_running(const Uuid& uuid, const RuntimePaths& paths);

/// The last ERROR lines of a liblxc log, two blanks before each, as the LXD API shows them. Empty when there are none.
std::string last_errors(const std::string& log_file);

}  // namespace berth::supervisor
