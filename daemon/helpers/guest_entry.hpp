#pragma once

#include "base/result.hpp"

namespace berth::helpers {

/// Makes this process one of the running guest that `pidfd`'s process is the init of: in its mount namespace and, if it
/// has one of its own, in its user namespace, as the root there; with the capabilities that work on files needs and no
/// others, with nothing open but the standard input, the report pipe and the standard output and error, and under the
/// seccomp filter. Refuses a process that shares the host's mounts. There is no way back. Errors: FailedPrecondition
/// (not running), Internal.
Result<void> enter_guest(int pidfd);

}  // namespace berth::helpers
