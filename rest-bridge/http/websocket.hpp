#pragma once

#include <utility>  // Boost 1.81 uses std::exchange without it

#include <boost/asio/awaitable.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <memory>

#include "rest-bridge/http/socket.hpp"

namespace berth::rest {

using UpgradeRequest = boost::beast::http::request<boost::beast::http::empty_body>;

/// Accepts the websocket that `request` asks for and connects it to `stream` until one side ends.
/// `lease` is the right to the client's bus connection and held as long as it is needed.
asio::awaitable<void> serve_websocket(Socket socket, UpgradeRequest request, Stream stream,
                                      std::shared_ptr<Identities::Lease> lease, std::shared_ptr<Identities::Place> place,
                                      Shared& shared);

}  // namespace berth::rest
