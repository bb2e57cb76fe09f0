#include "daemon/adapters/image/spool.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace berth::adapters {
namespace {

constexpr int kPatience = 200;  // ms between looks at `cancelled`
constexpr std::size_t kPeek = 64 << 10;

}  // namespace

Result<Listener> start_listener(const std::string& helper, std::initializer_list<const char*> arguments,
                                const std::vector<int>& descriptors) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return system_error("cannot make a socket", errno);
  UniqueFd ours(ends[0]), theirs(ends[1]);
  const int size = 1 << 20;
  setsockopt(ours.get(), SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  BERTH_TRY(HelperProcess process, HelperProcess::start(helper, arguments, theirs.get(), descriptors));
  return Listener{std::move(process), std::move(ours)};
}

Result<void> Spool::check_cancelled() const {
  if (cancelled_ && cancelled_()) return Error{Code::Cancelled, "the import was cancelled"};
  return {};
}

void Spool::show(std::string_view stage, std::uint64_t bytes) {
  const auto now = std::chrono::steady_clock::now();
  if (!progress_ || now - shown_ < std::chrono::milliseconds(kPatience)) return;
  shown_ = now;
  progress_(stage, bytes);
}

/// Fills the buffer once; 0 at the end.
Result<std::size_t> Spool::read_some(int source) {
  if (pending_ > 0) return std::exchange(pending_, 0);
  for (;;) {
    BERTH_CHECK(check_cancelled());
    pollfd waiting{source, POLLIN, 0};
    if (poll(&waiting, 1, kPatience) <= 0) continue;
    const ssize_t n = read(source, buffer_.data(), buffer_.size());
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno != EINTR && errno != EAGAIN) return system_error("cannot read the image", errno);
  }
}

Result<std::string_view> Spool::peek(int source) {
  while (pending_ < 4) {
    BERTH_CHECK(check_cancelled());
    pollfd waiting{source, POLLIN, 0};
    if (poll(&waiting, 1, kPatience) <= 0) continue;
    const ssize_t n = read(source, buffer_.data() + pending_, kPeek - pending_);
    if (n == 0) break;
    if (n > 0)
      pending_ += static_cast<std::size_t>(n);
    else if (errno != EINTR && errno != EAGAIN)
      return system_error("cannot read the image", errno);
  }
  return std::string_view(buffer_.data(), pending_);
}

Result<void> Spool::keep(int file, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t n = write(file, data, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == ENOSPC || errno == EDQUOT))
      return Error{Code::Unavailable, "the disk is full: the image cannot be kept; free some space and try again"};
    if (n < 0) return system_error("cannot keep the image", errno);
    data += n;
    size -= static_cast<std::size_t>(n);
  }
  return {};
}

/// False when the helper reads no more.
Result<bool> Spool::feed(Listener& listener, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t n = send(listener.feed.get(), data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) {
      data += n;
      size -= static_cast<std::size_t>(n);
      continue;
    }
    if (n < 0 && (errno == EPIPE || errno == ECONNRESET)) return false;
    if (n < 0 && errno != EAGAIN && errno != EINTR) return system_error("cannot hand the image to the helper", errno);
    BERTH_CHECK(check_cancelled());
    std::array<pollfd, 2> waiting{pollfd{listener.feed.get(), POLLOUT, 0},
                                  pollfd{listener.process.report_fd(), POLLIN, 0}};
    if (poll(waiting.data(), waiting.size(), kPatience) > 0 && waiting[1].revents != 0 &&
        !listener.process.read_report({}))
      return false;
  }
  return true;
}

Result<void> Spool::receive(int source, int file, Listener* listener) {
  bool listening = listener != nullptr;
  for (;;) {
    BERTH_TRY(const std::size_t size, read_some(source));
    if (size == 0) break;
    received_ += size;
    if (received_ > max_bytes_) return Error{Code::LimitsExceeded, "the image file is larger than is accepted"};
    digest_.add({buffer_.data(), size});
    BERTH_CHECK(keep(file, buffer_.data(), size));
    if (listening) {
      BERTH_TRY(listening, feed(*listener, buffer_.data(), size));
    }
    // A helper that reads no more has come to the archive's end or has failed; what comes after the end is kept all the
    // same.
    if (listener != nullptr && !listening && (listener->process.read_report({}), listener->process.failed())) return {};
    show("unpack", received_);
  }
  if (listener != nullptr) listener->feed.reset();
  return {};
}

}  // namespace berth::adapters
