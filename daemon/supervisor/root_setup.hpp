#pragma once

#include <string>

#include "base/result.hpp"
#include "daemon/domain/start_plan.hpp"
#include "daemon/domain/supervisor_protocol.hpp"

namespace berth::supervisor {

/// Moves this process into a mount namespace of its own and puts the container's root together on the stage folder:
/// `root` (a plain tree), or `lower` and `layer` (idmapped for an unprivileged container) of an overlay, and
/// `berth-hook`. Nothing of it is seen by the host, and all of it goes with the process.
/// `hook` is the hook program's path on the host. Single-threaded processes only; may fork and wait.
Result<void> set_up_root(const StartPlan& plan, const RuntimePaths& paths, const std::string& hook);

}  // namespace berth::supervisor
