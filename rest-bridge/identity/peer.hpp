#pragma once

#include <sys/types.h>

#include <optional>

#include "base/result.hpp"

namespace berth::rest {

/// Who is at the other end of an accepted unix socket, as the kernel says.
struct Peer {
  uid_t uid = 0;
  gid_t gid = 0;
  pid_t pid = 0;
  /// The process itself: the inode of its pidfd, which the kernel gives to one process alone, ever. Nothing on a kernel
  /// or for a peer where it cannot be known; such a peer is never taken for another.
  std::optional<ino_t> process;

  /// The same process with the same credentials: what one may do, the other may.
  bool same_as(const Peer& other) const noexcept {
    return process && other.process && *process == *other.process && uid == other.uid && gid == other.gid && pid == other.pid;
  }
};

/// Errors: AccessDenied for a socket that has no peer credentials.
Result<Peer> peer_of(int accepted);

}  // namespace berth::rest
