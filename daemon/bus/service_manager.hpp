#pragma once

#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace berth::bus {

/// The listening socket that the service manager handed over under `name` (FileDescriptorName= in its unit); none when it
/// gave no such socket. Whatever else it gave is closed. Call once, before any thread is made.
Result<UniqueFd> inherited_socket(const std::string& name);

/// Tells the service manager that the daemon serves, and that it is ending. Nothing happens where none listens.
void notify_ready();
void notify_stopping();

}  // namespace berth::bus
