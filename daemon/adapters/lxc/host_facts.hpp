#pragma once

#include "daemon/domain/lxc_config.hpp"

namespace berth::lxc {

/// Looks at this machine: cgroup controllers, paths, memory, processors.
LxcHostFacts host_facts();

}  // namespace berth::lxc
