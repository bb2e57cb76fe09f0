#pragma once

#include <functional>
#include <string>

#include "rest-bridge/api/message.hpp"
#include "rest-bridge/http/socket.hpp"

namespace berth::rest {

/// Sends answers whose bytes come from descriptors. One answer each.
class BodySender {
 public:
  /// `expect` is told whether the client is to move now (true), or whoever writes to the descriptor (false).
  BodySender(Socket& socket, std::function<void(bool client)> expect) : socket_(socket), expect_(std::move(expect)) {}

  /// `head` is an answer's head without its framing and its empty line. With a length when it is known, else in chunks.
  /// False when the answer could not be sent whole.
  asio::awaitable<bool> send(std::string head, FileBody& file);
  asio::awaitable<bool> send(std::string head, PartsBody& body);

 private:
  asio::awaitable<bool> write(std::string text);
  asio::awaitable<bool> copy(FileBody& file);

  Socket& socket_;
  std::function<void(bool)> expect_;
};

}  // namespace berth::rest
