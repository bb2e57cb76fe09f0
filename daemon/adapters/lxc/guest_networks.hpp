#pragma once

#include <sys/types.h>

#include <map>
#include <string>

#include "base/result.hpp"
#include "daemon/ports/container_runtime.hpp"

namespace berth::lxc {

/// The network interfaces in the network namespace of a process, by netlink from here: nobody enters the namespace.
Result<std::map<std::string, ports::NetworkInterface>> guest_networks(pid_t init);

}  // namespace berth::lxc
