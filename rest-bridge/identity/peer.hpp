#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/result.hpp"

namespace berth::rest {

/// A client that came over TLS.
struct TlsPeer {
  std::string certificate;  ///< DER of the certificate whose key it proved to have; empty when it showed none
  std::string address;      ///< without the port
};

/// Who is at the other end of an accepted unix socket, as the kernel says, or of a TLS connection.
struct Peer {
  uid_t uid = 0;
  gid_t gid = 0;
  pid_t pid = 0;
  /// The process itself: the inode of its pidfd, which the kernel gives to one process alone, ever. Nothing on a kernel
  /// or for a peer where it cannot be known; such a peer is never taken for another.
  std::optional<ino_t> process;
  std::optional<TlsPeer> tls = std::nullopt;

  /// The same process with the same credentials: what one may do, the other may.
  bool same_as(const Peer& other) const noexcept {
    if (tls || other.tls) return same_account(other);
    return process && other.process && *process == *other.process && uid == other.uid && gid == other.gid && pid == other.pid;
  }
  /// Of the same user, or with the same certificate: what is counted together.
  bool same_account(const Peer& other) const noexcept {
    if (tls || other.tls) return tls && other.tls && tls->certificate == other.tls->certificate;
    return uid == other.uid;
  }
};

/// Errors: AccessDenied for a socket that has no peer credentials.
Result<Peer> peer_of(int accepted);

}  // namespace berth::rest
