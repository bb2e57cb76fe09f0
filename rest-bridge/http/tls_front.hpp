#pragma once

#include <cstddef>
#include <list>
#include <memory>

#include "rest-bridge/http/socket.hpp"
#include "rest-bridge/identity/https_source.hpp"

namespace berth::rest {

/// HTTPS: accepts on the sockets that the daemon bound, ends TLS, and gives each client's bytes to an ordinary connection
/// through a socket pair, so that everything above knows one kind of socket and no keys. Loop thread only.
class TlsFront {
 public:
  TlsFront(asio::any_io_executor executor, Shared& shared) : executor_(std::move(executor)), shared_(shared) {}

  /// Serves with `setup` from now on: the old listeners end, their clients stay. A certificate that cannot be used is logged,
  /// and nothing listens.
  void apply(HttpsSetup setup);

 private:
  struct Listener;
  struct Wire;
  static asio::awaitable<void> accept(std::shared_ptr<Listener> listener, TlsFront& front);
  static asio::awaitable<void> serve(std::shared_ptr<Wire> wire, TlsFront& front);
  static asio::awaitable<void> send_out(std::shared_ptr<Wire> wire);

  asio::any_io_executor executor_;
  Shared& shared_;
  std::list<std::shared_ptr<Listener>> listeners_;
  std::size_t clients_ = 0;
};

}  // namespace berth::rest
