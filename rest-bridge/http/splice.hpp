#pragma once

#include <utility>  // Boost 1.81 uses std::exchange without it

#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstdint>

namespace berth::rest {

/// Moves up to `size` bytes from one asio object to another within the kernel, without a copy of ours; one of the two is a
/// pipe. `more(waits_for_source)` is asked before each wait, and stops it with false. Returns what was moved; `error` says
/// why that is less: eof at the source's end, EINVAL when these two cannot do it.
template <typename From, typename To, typename More>
boost::asio::awaitable<std::uint64_t> splice_bytes(From& from, To& to, std::uint64_t size, More more, boost::system::error_code& error) {
  constexpr std::uint64_t kPiece = std::uint64_t{1} << 20U;
  const auto token = [&error] { return boost::asio::redirect_error(boost::asio::use_awaitable, error); };
  std::uint64_t moved = 0;
  error = {};
  from.native_non_blocking(true, error);
  if (!error) to.native_non_blocking(true, error);
  while (!error && moved < size) {
    const auto n = ::splice(from.native_handle(), nullptr, to.native_handle(), nullptr, std::min(size - moved, kPiece),
                            SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (n > 0) {
      moved += static_cast<std::uint64_t>(n);
      co_await boost::asio::post(from.get_executor(), boost::asio::use_awaitable);  // the others of this thread have their turn
      continue;
    }
    if (n == 0) error = boost::asio::error::eof;
    if (n < 0 && errno != EINTR && errno != EAGAIN) error.assign(errno, boost::system::system_category());
    if (error) break;
    pollfd source{.fd = from.native_handle(), .events = POLLIN, .revents = 0};
    const bool empty = ::poll(&source, 1, 0) == 0;
    if (!more(empty)) break;
    if (empty)
      co_await from.async_wait(From::wait_read, token());
    else
      co_await to.async_wait(To::wait_write, token());
  }
  co_return moved;
}

}  // namespace berth::rest
