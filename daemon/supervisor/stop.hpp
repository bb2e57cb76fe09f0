#pragma once

#include <string>

#include "base/result.hpp"
#include "daemon/domain/supervisor_protocol.hpp"

namespace berth::supervisor {

/// `berth-supervisor --stop`: has the unit's container halted and waits until it has ended. Needs no daemon.
/// A container that does not run is success.
Result<void> stop_unit(const RuntimePaths& paths, const std::string& unit);

}  // namespace berth::supervisor
