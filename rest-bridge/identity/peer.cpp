#include "rest-bridge/identity/peer.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <cerrno>

#include "base/unique_fd.hpp"

namespace berth::rest {
namespace {

constexpr int kPeerPidFd = 77;             // SO_PEERPIDFD; the C library's headers are older than it
constexpr long kPidFsMagic = 0x50494446;   // PID_FS_MAGIC: only there an inode number names one process

}  // namespace

Result<Peer> peer_of(int accepted) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(accepted, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
    return Error{Code::AccessDenied, "the client's credentials cannot be read"};
  Peer peer{.uid = credentials.uid, .gid = credentials.gid, .pid = credentials.pid, .process = std::nullopt, .tls = std::nullopt};
  int raw = -1;
  size = sizeof raw;
  if (::getsockopt(accepted, SOL_SOCKET, kPeerPidFd, &raw, &size) != 0) return peer;
  const UniqueFd pidfd(raw);
  struct statfs file_system {};
  struct stat status {};
  if (::fstatfs(pidfd.get(), &file_system) == 0 && file_system.f_type == kPidFsMagic && ::fstat(pidfd.get(), &status) == 0)
    peer.process = status.st_ino;
  return peer;
}

}  // namespace berth::rest
