#pragma once

#include <cstdint>
#include <functional>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace berth::services {

/// A descriptor that somebody handed in to be written to, made ready so that a worker never blocks on it for good: a pipe
/// is opened anew without blocking, a socket is written to without, a regular file as it is. Anything else is refused.
class Outlet {
 public:
  static Result<Outlet> open(UniqueFd given);

  /// Writes all of `file`, from its start. Ends early, without error, when nobody reads any more. `cancelled` is asked
  /// now and then. Errors: Cancelled, Unavailable (disk full), Internal.
  Result<void> send(int file, const std::function<bool()>& cancelled);
  /// For a program that is to write there.
  int fd() const noexcept { return fd_.get(); }

 private:
  Outlet(UniqueFd fd, bool socket) : fd_(std::move(fd)), socket_(socket) {}
  UniqueFd fd_;
  bool socket_;
};

/// Reads `from` to its end into `to`. Errors: LimitsExceeded beyond `limit` bytes, Cancelled, Unavailable (disk full),
/// Internal.
Result<std::uint64_t> spool(int from, int to, std::uint64_t limit, const std::function<void(std::uint64_t)>& progress,
                            const std::function<bool()>& cancelled);

}  // namespace berth::services
