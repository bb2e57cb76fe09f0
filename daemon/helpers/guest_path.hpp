#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace berth::helpers {

/// A path in a guest, opened as the guest itself would open it: symlinks are followed, but never out of the folder that
/// `root` is, and never through /proc's own ones (rule 2). O_CLOEXEC, O_NONBLOCK (a FIFO is not waited for) and O_NOCTTY
/// are added. Errors: NotFound, FailedPrecondition, Internal; all name the path.
Result<UniqueFd> open_in_guest(int root, const std::string& path, int flags, mode_t mode = 0);

/// The same for who wants the reason as errno; -1 then.
UniqueFd try_open_in_guest(int root, const std::string& path, int flags, mode_t mode = 0);

/// The folder that `path` is in, made with whatever folders above it are missing: 0755, owned by the caller.
Result<UniqueFd> make_guest_parents(int root, const std::string& path, mode_t mode = 0755);

/// The last element of a path; "." when there is none.
std::string guest_base_name(const std::string& path);
/// The path without its last element; "/" when that leaves nothing.
std::string guest_parent(const std::string& path);

/// The error of a failed step on a path in a guest.
Error guest_error(const std::string& what, const std::string& path, int saved_errno);

}  // namespace berth::helpers
