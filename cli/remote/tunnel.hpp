#pragma once

#include "base/result.hpp"
#include "cli/remote/http_transport.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <optional>
#include <string>
#include <utility>  // Boost 1.81 uses std::exchange without it

namespace berth::cli {

/// A stream of plain bytes to a server. Over TLS it is one end of a pair whose other end is carried by a coroutine, so
/// that whoever speaks HTTP or websocket is compiled for one kind of stream.
using PlainSocket = boost::asio::local::stream_protocol::socket;

/// Where a server is, and how its certificate is judged.
struct Destination {
  std::string socket_path;  ///< of a unix socket, or
  std::string host;         ///< a name or an address
  std::string port;
  std::string pinned;       ///< PEM of the one certificate that the server may show; empty for the authorities'
  std::string authority;    ///< path of a file with the only authority to be believed; empty for the system's
  std::string certificate;  ///< PEM of the user's certificate
  std::string key;          ///< PEM

  /// As the Host header says it.
  std::string host_header() const;
};

/// Host and port of an https address. Errors: InvalidArgument.
Result<Destination> parse_https(const std::string& address);

/// Connects; over TLS the server's certificate has been judged when this returns. Throws boost::system::system_error,
/// or std::runtime_error with a sentence for the user.
boost::asio::awaitable<PlainSocket> connect_plain(Destination destination);

}  // namespace berth::cli
