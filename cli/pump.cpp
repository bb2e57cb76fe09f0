#include "cli/pump.hpp"

#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <vector>

namespace berth::cli {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20U;
/// How long the last output of an ended command may take through the kernel while somebody else keeps its stream open.
constexpr int kSettle = 20;

void raise(int event_fd) {
  const std::uint64_t one = 1;
  while (::write(event_fd, &one, sizeof one) < 0 && errno == EINTR) {
  }
}

}  // namespace

Pump::Pump(int from, UniqueFd to, AtStop at_stop, Look look)
    : own_to_(std::move(to)),
      from_(from),
      to_(own_to_.get()),
      look_(std::move(look)),
      splice_(!look_),
      drain_(at_stop == AtStop::Drain) {
  start();
}

Pump::Pump(UniqueFd from, int to, AtStop at_stop)
    : own_from_(std::move(from)), from_(own_from_.get()), to_(to), splice_(true), drain_(at_stop == AtStop::Drain) {
  start();
}

void Pump::start() {
  stop_.reset(::eventfd(0, EFD_CLOEXEC));
  ended_.reset(::eventfd(0, EFD_CLOEXEC));
  // As much as an ordinary user may have; a pipe that stays small is only slower.
  ::fcntl(own_to_ ? to_ : from_, F_SETPIPE_SZ, static_cast<int>(kPiece));
  thread_ = std::thread([this] { run(); });
}

Pump::~Pump() {
  stop();
  thread_.join();
}

void Pump::stop() { raise(stop_.get()); }

bool Pump::wait_readable() {
  for (;;) {
    pollfd fds[2] = {{.fd = from_, .events = POLLIN, .revents = 0},
                     {.fd = stop_.get(), .events = POLLIN, .revents = 0}};
    const int ready = ::poll(fds, draining_ ? 1 : 2, draining_ ? kSettle : -1);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    if (draining_ || fds[1].revents == 0) return true;
    if (!drain_) return false;
    draining_ = true;
  }
}

bool Pump::wait_writable() {
  for (;;) {
    // A pump that drains waits for its reader as long as that takes; another one gives up when it is stopped.
    pollfd fds[2] = {{.fd = to_, .events = POLLOUT, .revents = 0}, {.fd = stop_.get(), .events = POLLIN, .revents = 0}};
    const int ready = ::poll(fds, drain_ ? 1 : 2, -1);
    if (ready < 0 && errno == EINTR) continue;
    return ready > 0 && (drain_ || fds[1].revents == 0);
  }
}

long Pump::move_some() { return ::splice(from_, nullptr, to_, nullptr, kPiece, SPLICE_F_MOVE | SPLICE_F_NONBLOCK); }

long Pump::copy_some() {
  thread_local std::vector<char> buffer(kPiece / 4);
  const auto size = ::read(from_, buffer.data(), buffer.size());
  if (size <= 0) return size;
  if (look_ && !look_(std::string_view(buffer.data(), static_cast<std::size_t>(size)))) return 0;
  for (ssize_t done = 0; done < size;) {
    const auto written = ::write(to_, buffer.data() + done, static_cast<std::size_t>(size - done));
    if (written >= 0)
      done += written;
    else if (errno == EAGAIN ? !wait_writable() : errno != EINTR)
      return -1;
  }
  return size;
}

void Pump::run() {
  while (wait_readable() && wait_writable()) {
    auto moved = splice_ ? move_some() : copy_some();
    if (moved < 0 && splice_ && errno == EINVAL) {
      // A terminal, or a file opened for appending: those want to be read and written.
      splice_ = false;
      moved = copy_some();
    }
    if (moved > 0 || (moved < 0 && (errno == EAGAIN || errno == EINTR))) continue;
    break;
  }
  own_from_.reset();
  own_to_.reset();
  raise(ended_.get());
}

}  // namespace berth::cli
