#include "daemon/services/byte_pump.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

namespace berth::services {
namespace {

constexpr int kPatience = 200;  // ms between looks at `cancelled`
constexpr std::size_t kChunk = 256 << 10;

Error write_error(int saved_errno) {
  if (saved_errno == ENOSPC || saved_errno == EDQUOT)
    return Error{Code::Unavailable, "the disk is full; free some space and try again"};
  return system_error("cannot write", saved_errno);
}

/// False when `cancelled`.
bool wait_for(int fd, short events, const std::function<bool()>& cancelled) {
  pollfd waiting{fd, events, 0};
  do {
    if (cancelled && cancelled()) return false;
  } while (poll(&waiting, 1, kPatience) <= 0);
  return true;
}

Error cancelled_error() { return Error{Code::Cancelled, "the transfer was cancelled"}; }

}  // namespace

Result<Outlet> Outlet::open(UniqueFd given) {
  struct stat info {};
  if (fstat(given.get(), &info) != 0) return system_error("cannot look at the descriptor", errno);
  if (S_ISSOCK(info.st_mode)) return Outlet(std::move(given), true);
  if (S_ISREG(info.st_mode)) return Outlet(std::move(given), false);
  if (!S_ISFIFO(info.st_mode))
    return Error{Code::InvalidArgument, "the descriptor to write to must be of a pipe, a socket or a file"};
  // A description of its own, so that whoever gave it is not surprised by one that does not block.
  UniqueFd own(::open(("/proc/self/fd/" + std::to_string(given.get())).c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  if (!own && errno == ENXIO) return Error{Code::InvalidArgument, "nobody reads from the pipe"};
  if (!own) return system_error("cannot write to the pipe", errno);
  (void)fcntl(own.get(), F_SETPIPE_SZ, 1 << 20);
  return Outlet(std::move(own), false);
}

Result<void> Outlet::send(int file, const std::function<bool()>& cancelled) {
  std::vector<char> chunk(kChunk);
  off_t at = 0;
  for (;;) {
    const ssize_t size = pread(file, chunk.data(), chunk.size(), at);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return system_error("cannot read the file", errno);
    if (size == 0) return {};
    at += size;
    for (ssize_t done = 0; done < size;) {
      if (cancelled && cancelled()) return cancelled_error();
      const auto left = static_cast<std::size_t>(size - done);
      const ssize_t n = socket_ ? ::send(fd_.get(), chunk.data() + done, left, MSG_NOSIGNAL | MSG_DONTWAIT)
                                : write(fd_.get(), chunk.data() + done, left);
      if (n >= 0) {
        done += n;
      } else if (errno == EAGAIN) {
        if (!wait_for(fd_.get(), POLLOUT, cancelled)) return cancelled_error();
      } else if (errno == EPIPE || errno == ECONNRESET) {
        return {};
      } else if (errno != EINTR) {
        return write_error(errno);
      }
    }
  }
}

Result<std::uint64_t> spool(int from, int to, std::uint64_t limit, const std::function<void(std::uint64_t)>& progress,
                            const std::function<bool()>& cancelled) {
  std::vector<char> chunk(kChunk);
  std::uint64_t total = 0;
  for (;;) {
    if (!wait_for(from, POLLIN, cancelled)) return cancelled_error();
    const ssize_t size = read(from, chunk.data(), chunk.size());
    if (size < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (size < 0) return system_error("cannot read what is sent", errno);
    if (size == 0) return total;
    total += static_cast<std::uint64_t>(size);
    if (total > limit) return Error{Code::LimitsExceeded, "what is sent is larger than is accepted"};
    for (ssize_t done = 0; done < size;) {
      const ssize_t n = write(to, chunk.data() + done, static_cast<std::size_t>(size - done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return write_error(errno);
      done += n;
    }
    if (progress) progress(total);
  }
}

}  // namespace berth::services
