#pragma once

#include <optional>

#include "rest-bridge/http/socket.hpp"

namespace berth::rest {

/// Serves one accepted connection until it ends. No exception leaves it. `tls`: the client that stands behind the socket,
/// where that is the inner side of a TLS connection; otherwise the kernel says who it is.
asio::awaitable<void> serve_connection(Socket socket, Shared& shared, std::optional<TlsPeer> tls = std::nullopt);

}  // namespace berth::rest
