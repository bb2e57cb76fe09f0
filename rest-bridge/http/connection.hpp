#pragma once

#include "rest-bridge/http/socket.hpp"

namespace berth::rest {

/// Serves one accepted connection until it ends. No exception leaves it.
asio::awaitable<void> serve_connection(Socket socket, Shared& shared);

}  // namespace berth::rest
