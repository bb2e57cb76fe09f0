#pragma once

#include "rest-bridge/api/call.hpp"

namespace berth::rest {

/// What a message bus takes: texts are UTF-8 without a NUL and without what libsystemd refuses, and all of it stays below
/// the 32 MiB beyond which dbus-daemon cuts the sender off. Errors: InvalidArgument.
Result<void> check_call(const Call& call);

}  // namespace berth::rest
