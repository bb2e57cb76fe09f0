#include "daemon/bus/peer_proof.hpp"

#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <fstream>
#include <iterator>
#include <sstream>

#include "base/unique_fd.hpp"

#ifndef SIOCUNIXFILE
#define SIOCUNIXFILE (SIOCPROTOPRIVATE + 0)
#endif
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

namespace berth::bus {
namespace {

Error refused(const std::string& why) { return Error{Code::AccessDenied, "the socket is not that of an HTTP client: " + why}; }

Result<int> socket_option(int socket, int option, const char* name) {
  int value = 0;
  socklen_t size = sizeof value;
  if (getsockopt(socket, SOL_SOCKET, option, &value, &size) != 0) return refused(std::string(name) + " is not known");
  return value;
}

Result<void> check_accepted_on(int socket, const std::string& listener_path) {
  BERTH_TRY(const int domain, socket_option(socket, SO_DOMAIN, "its domain"));
  if (domain != AF_UNIX) return refused("it is not a unix socket");
  BERTH_TRY(const int type, socket_option(socket, SO_TYPE, "its type"));
  if (type != SOCK_STREAM) return refused("it is not a stream");
  BERTH_TRY(const int listens, socket_option(socket, SO_ACCEPTCONN, "its state"));
  if (listens != 0) return refused("it is a listener");

  const UniqueFd bound{ioctl(socket, SIOCUNIXFILE)};
  if (!bound) return refused(errno == EPERM ? "CAP_NET_ADMIN is missing to check it" : "it was not accepted on a listener");
  struct stat of_socket {}, of_listener {};
  if (fstat(bound.get(), &of_socket) != 0) return refused("its inode is not known");
  BERTH_CHECK(check_only_root_replaces(listener_path));
  if (lstat(listener_path.c_str(), &of_listener) != 0 || !S_ISSOCK(of_listener.st_mode))
    return refused("there is no listener at " + listener_path);
  if (of_socket.st_dev != of_listener.st_dev || of_socket.st_ino != of_listener.st_ino)
    return refused("it was accepted on another listener");
  return {};
}

bool has_ended(int pidfd) {
  pollfd poll_fd{.fd = pidfd, .events = POLLIN, .revents = 0};
  return poll(&poll_fd, 1, 0) != 0;
}

/// The process behind the credentials, held so that its pid cannot become another's while /proc is read.
Result<UniqueFd> pin_peer(int socket, const ucred& credentials) {
  int raw = -1;
  socklen_t size = sizeof raw;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERPIDFD, &raw, &size) == 0) return UniqueFd{raw};
  if (errno != ENOPROTOOPT) return refused("its peer has ended");
  // Kernels before 6.5: the pid may have been given to another process since. The uid that polkit is told stays the socket's,
  // and a process of another user is refused.
  UniqueFd pidfd{static_cast<int>(syscall(SYS_pidfd_open, credentials.pid, 0))};
  if (!pidfd) return refused("its peer has ended");
  struct stat process {};
  if (stat(("/proc/" + std::to_string(credentials.pid)).c_str(), &process) != 0 || process.st_uid != credentials.uid)
    return refused("its peer has ended");
  return pidfd;
}

/// The pid a pidfd stands for, as its fdinfo says; 0 when it has ended.
std::int32_t pid_of(int pidfd) {
  std::ifstream info("/proc/self/fdinfo/" + std::to_string(pidfd));
  std::string line;
  while (std::getline(info, line))
    if (line.starts_with("Pid:")) {
      std::istringstream rest(line.substr(4));
      std::int32_t pid = 0;
      rest >> pid;
      return pid > 0 ? pid : 0;
    }
  return 0;
}

/// Field 22 of /proc/PID/stat: clock ticks since boot. Counted after the last ')', since a program chooses its own name.
Result<std::uint64_t> start_time_of(std::int32_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const auto end_of_name = text.rfind(')');
  if (end_of_name == std::string::npos) return refused("its peer has ended");
  std::istringstream fields(text.substr(end_of_name + 1));
  constexpr int kFieldsBefore = 19;  // 3 to 21
  std::string skipped;
  for (int i = 0; i < kFieldsBefore; ++i) fields >> skipped;
  std::uint64_t start = 0;
  if (!(fields >> start)) return refused("its peer's start time is not known");
  return start;
}

}  // namespace

Result<void> check_only_root_replaces(const std::string& path) {
  if (path.empty() || path[0] != '/') return refused("the listener's path is not absolute");
  for (auto slash = path.rfind('/'); slash != std::string::npos; slash = slash == 0 ? std::string::npos : path.rfind('/', slash - 1)) {
    const std::string folder = slash == 0 ? "/" : path.substr(0, slash);
    struct stat info {};
    if (lstat(folder.c_str(), &info) != 0) return refused("there is no folder " + folder);
    if (S_ISLNK(info.st_mode)) return refused(folder + " is a symbolic link");
    const bool others_write = (info.st_mode & (S_IWGRP | S_IWOTH)) != 0 && (info.st_mode & S_ISVTX) == 0;
    if (info.st_uid != 0 || others_write) return refused("others than root can replace what is in " + folder);
  }
  return {};
}

Result<Principal> prove_peer(int socket, const std::string& listener_path) {
  BERTH_CHECK(check_accepted_on(socket, listener_path));
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return refused("its peer is not known");
  if (credentials.pid <= 0) return refused("its peer is in no process namespace of this host");
  BERTH_TRY(const UniqueFd pidfd, pin_peer(socket, credentials));
  if (has_ended(pidfd.get()) || pid_of(pidfd.get()) != credentials.pid) return refused("its peer has ended");
  BERTH_TRY(const std::uint64_t start_time, start_time_of(credentials.pid));
  if (has_ended(pidfd.get())) return refused("its peer has ended");
  Principal peer;
  peer.kind = PrincipalKind::Local;
  peer.uid = credentials.uid;
  peer.pid = credentials.pid;
  peer.start_time = start_time;
  return peer;
}

}  // namespace berth::bus
