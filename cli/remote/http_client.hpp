#pragma once

#include "cli/remote/tunnel.hpp"
#include "rest-bridge/api/message.hpp"

#include <vector>

namespace berth::cli {

/// Makes requests to one server over HTTP/1.1, on the thread of its executor. Connections are kept for the next
/// request.
class HttpClient {
 public:
  explicit HttpClient(Destination destination) : destination_(std::move(destination)) {}

  /// The answer. A body that is no JSON comes as a descriptor, which goes on being filled after this returns; reading
  /// from it fails when the server breaks off. Failures to reach the server are answers (503).
  boost::asio::awaitable<rest::Response> call(rest::Request request);
  const Destination& destination() const noexcept { return destination_; }

 private:
  boost::asio::awaitable<rest::Response> attempt(PlainSocket socket, const rest::Request& request);
  Destination destination_;
  std::vector<PlainSocket> idle_;
};

}  // namespace berth::cli
