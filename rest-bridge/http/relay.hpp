#pragma once

#include <utility>  // Boost 1.81 uses std::exchange without it

#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <string>

#include "base/unique_fd.hpp"
#include "rest-bridge/http/socket.hpp"

namespace berth::rest {

/// Says 101 for `protocol` and then carries bytes between the client and `raw`, as they are, until one side ends; then
/// both are over. `first` is what the client has sent already.
asio::awaitable<void> serve_raw(Socket& socket, UniqueFd raw, std::string protocol, std::string first);

}  // namespace berth::rest
