#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "daemon/supervisor/lxc_handle.hpp"

namespace berth::supervisor {

/// A pseudo terminal in the container's own devpts.
struct Terminal {
  UniqueFd master;
  UniqueFd slave;
};

/// Opens one without following any path of the guest. `owner` and `group` are the slave's ids on the host.
/// A width or height of 0 leaves the window size unset.
Result<Terminal> open_terminal(lxc_container& container, std::uint32_t owner, std::uint32_t group, std::uint16_t width,
                               std::uint16_t height);

}  // namespace berth::supervisor
