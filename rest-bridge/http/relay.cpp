#include "rest-bridge/http/relay.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <vector>

namespace berth::rest {
namespace {

using Descriptor = asio::posix::stream_descriptor;
using ErrorCode = boost::system::error_code;

constexpr std::size_t kChunk = 128 * 1024;

auto token(ErrorCode& error) { return asio::redirect_error(asio::use_awaitable, error); }

/// Both directions of one relay. The connection that owns the socket waits for the one that it does not run itself.
struct Relay {
  Socket& client;
  Descriptor raw;
  asio::steady_timer answers_over;
  bool answering = true;

  Relay(Socket& socket, UniqueFd fd)
      : client(socket), raw(socket.get_executor(), fd.release()), answers_over(socket.get_executor(), asio::steady_timer::time_point::max()) {}

  /// Wakes both directions.
  void end() {
    ErrorCode unused;
    raw.close(unused);
    client.shutdown(Socket::shutdown_both, unused);
  }
};

asio::awaitable<void> answer(std::shared_ptr<Relay> relay) {
  std::vector<char> chunk(kChunk);
  ErrorCode error;
  while (!error) {
    const auto size = co_await relay->raw.async_read_some(asio::buffer(chunk), token(error));
    if (!error) co_await asio::async_write(relay->client, asio::buffer(chunk.data(), size), token(error));
  }
  relay->end();
  relay->answering = false;
  relay->answers_over.cancel();
}

}  // namespace

asio::awaitable<void> serve_raw(Socket& socket, UniqueFd raw, std::string protocol, std::string first) {
  ErrorCode error;
  const std::string head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: " + protocol + "\r\nConnection: Upgrade\r\n\r\n";
  co_await asio::async_write(socket, asio::buffer(head), token(error));
  if (error) co_return;
  const auto relay = std::make_shared<Relay>(socket, std::move(raw));
  asio::co_spawn(socket.get_executor(), answer(relay), asio::detached);
  if (!first.empty()) co_await asio::async_write(relay->raw, asio::buffer(first), token(error));
  std::vector<char> chunk(kChunk);
  while (!error) {
    const auto size = co_await socket.async_read_some(asio::buffer(chunk), token(error));
    if (!error) co_await asio::async_write(relay->raw, asio::buffer(chunk.data(), size), token(error));
  }
  relay->end();
  // The other direction uses the socket, which dies with the caller.
  if (relay->answering) co_await relay->answers_over.async_wait(token(error));
}

}  // namespace berth::rest
