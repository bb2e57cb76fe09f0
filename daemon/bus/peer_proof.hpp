#pragma once

#include <string>

#include "base/result.hpp"
#include "daemon/domain/principal.hpp"

namespace berth::bus {

/// Proves that `socket` was accepted on the REST bridge's listener at `listener_path`, and tells who its peer is, by the
/// kernel's word alone. The checks: a stream socket of AF_UNIX that does not listen itself, bound to the very inode at that path
/// (SIOCUNIXFILE; needs CAP_NET_ADMIN), every folder of the path such that only root can replace what is in it, and a peer
/// that is alive, pinned by a pidfd while its start time is read. Any failure is AccessDenied. Any thread; does not block.
Result<Principal> prove_peer(int socket, const std::string& listener_path);

/// True when only root can replace what `path` names: each folder on the way belongs to root and is not writable by others,
/// or is sticky.
Result<void> check_only_root_replaces(const std::string& path);

}  // namespace berth::bus
