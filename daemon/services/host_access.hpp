#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "daemon/domain/principal.hpp"

namespace berth::services {

/// Asks, from a worker, whether `who` may use what the policy function found in the final object (`reasons`, e.g.
/// "security.nesting=true"): action configure-host-access. Success, or AccessDenied naming the reasons. Blocks the worker while
/// polkit decides. Implemented in daemon/bus.
using HostAccessCheck = std::function<Result<void>(const Principal& who, const std::string& object, const std::vector<std::string>& reasons)>;

}  // namespace berth::services
