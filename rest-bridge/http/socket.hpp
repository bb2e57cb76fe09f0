#pragma once

#include <utility>  // Boost 1.81 uses std::exchange without it

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/unique_fd.hpp"
#include "rest-bridge/api/api.hpp"
#include "rest-bridge/http/asio_loop.hpp"
#include "rest-bridge/http/browser_rules.hpp"
#include "rest-bridge/identity/identities.hpp"

namespace berth::rest {

namespace asio = boost::asio;
using Socket = asio::local::stream_protocol::socket;

/// Ends a connection at once for both sides, and lets go of its socket. To close it would do neither: the daemon has the same
/// socket, as the client's proof. It would even stay in the epoll set, since asio leaves it to the close to take it out, and
/// its last events would go to the connection that has its place by then: that one would be ended, too.
inline void hang_up(Socket& socket) {
  if (!socket.is_open()) return;
  boost::system::error_code unused;
  socket.shutdown(Socket::shutdown_both, unused);
  const UniqueFd closed(socket.release(unused));
}

/// The bounds of the HTTP side.
struct HttpLimits {
  std::uint32_t header = 16 * 1024;
  std::size_t json = 8 * 1024 * 1024;
  std::size_t connections = 512;
  std::size_t tls_clients = 256;  ///< of these: the network may not fill the places of this host's own users
  std::size_t event_backlog = 4 * 1024 * 1024;  ///< bytes of events that wait for a slow listener; then it is cut
  std::size_t control_message = 64 * 1024;
  std::chrono::seconds idle{600};     ///< between requests
  std::chrono::seconds progress{60};  ///< without a byte of a header, body or answer
};

/// What all connections share.
struct Shared {
  AsioLoop& loop;
  Identities& identities;
  HttpLimits limits;
  BrowserSettings browser = {};
  std::size_t connections = 0;
};

}  // namespace berth::rest
