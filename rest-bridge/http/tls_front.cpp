#include "rest-bridge/http/tls_front.hpp"

#include <sys/socket.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <utility>

#include "base/log.hpp"
#include "rest-bridge/http/connection.hpp"
#include "rest-bridge/http/tls_context.hpp"

// GCC 12 takes the frame of a coroutine that it inlines for a mismatched pair of new and delete.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace berth::rest {
namespace {

using ErrorCode = boost::system::error_code;
using Tcp = asio::ip::tcp;

constexpr std::size_t kChunk = 32 * 1024;
constexpr std::chrono::seconds kHandshake{10};
constexpr std::chrono::seconds kGoodbye{2};

auto token(ErrorCode& error) { return asio::redirect_error(asio::use_awaitable, error); }

Tcp protocol_of(int socket) {
  int domain = AF_INET;
  socklen_t size = sizeof domain;
  (void)::getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &domain, &size);
  return domain == AF_INET6 ? Tcp::v6() : Tcp::v4();
}

}  // namespace

struct TlsFront::Listener {
  Tcp::acceptor acceptor;
  TlsContext context;
  bool over = false;
};

/// One TLS client: the two sockets between which its bytes go.
struct TlsFront::Wire {
  TlsContext context;  // its stream needs it to the end
  TlsStream stream;
  Socket inner;
  asio::steady_timer deadline;
  std::size_t& count;

  Wire(TlsContext with, Tcp::socket socket, std::size_t& clients)
      : context(std::move(with)), stream(std::move(socket), *context), inner(stream.get_executor()), deadline(stream.get_executor()),
        count(clients) {
    ++count;
  }
  ~Wire() { --count; }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  /// Ends the TLS side when `limit` passes before the next call.
  void expect(const std::shared_ptr<Wire>& self, std::chrono::seconds limit) {
    deadline.expires_after(limit);
    deadline.async_wait([weak = std::weak_ptr(self)](ErrorCode error) {
      const auto wire = weak.lock();
      if (error || !wire || wire->deadline.expiry() > asio::steady_timer::clock_type::now()) return;
      wire->stream.lowest_layer().close(error);
    });
  }
  void expect_nothing() { deadline.expires_at(asio::steady_timer::time_point::max()); }
};

void TlsFront::apply(HttpsSetup setup) {
  shared_.browser = {.allowed_origin = setup.allowed_origin,
                     .allowed_methods = setup.allowed_methods,
                     .allowed_headers = setup.allowed_headers,
                     .allowed_credentials = setup.allowed_credentials};
  for (const auto& listener : std::exchange(listeners_, {})) {
    listener->over = true;
    ErrorCode error;
    listener->acceptor.close(error);
  }
  if (setup.sockets.empty()) return;
  auto context = make_tls_context(setup.certificate, setup.key);
  if (!context) return log::error("HTTPS is not served: " + context.error().message);
  for (auto& socket : setup.sockets) {
    const auto protocol = protocol_of(socket.get());
    auto listener = std::make_shared<Listener>(Listener{Tcp::acceptor(executor_), *context});
    ErrorCode error;
    listener->acceptor.assign(protocol, socket.get(), error);
    if (error) {
      log::error("cannot use a listening socket of the daemon: " + error.message());
      continue;
    }
    (void)socket.release();
    listeners_.push_back(listener);
    asio::co_spawn(executor_, accept(listener, *this), asio::detached);
  }
}

asio::awaitable<void> TlsFront::accept(std::shared_ptr<Listener> listener, TlsFront& front) {
  asio::steady_timer pause(front.executor_);
  while (!listener->over) {
    ErrorCode error;
    auto socket = co_await listener->acceptor.async_accept(token(error));
    if (error) {
      if (listener->over) break;
      // Out of descriptors, or the daemon has ended this listener and the next one is on its way.
      pause.expires_after(std::chrono::milliseconds(100));
      co_await pause.async_wait(token(error));
      continue;
    }
    if (front.clients_ >= front.shared_.limits.tls_clients) continue;  // closed unheard: a handshake costs too much
    socket.set_option(Tcp::no_delay(true), error);
    socket.set_option(asio::socket_base::keep_alive(true), error);
    // Also one that came in the moment its listener went: each change of the server's configuration makes a new one.
    const auto wire = std::make_shared<Wire>(listener->context, std::move(socket), front.clients_);
    asio::co_spawn(front.executor_, serve(wire, front), asio::detached);
  }
}

asio::awaitable<void> TlsFront::serve(std::shared_ptr<Wire> wire, TlsFront& front) {
  ErrorCode error;
  const auto from = wire->stream.lowest_layer().remote_endpoint(error);
  wire->expect(wire, kHandshake);
  if (!error) co_await wire->stream.async_handshake(asio::ssl::stream_base::server, token(error));
  if (error) {
    log::debug("a TLS handshake failed: " + error.message());
    co_return;
  }
  wire->expect_nothing();
  std::array<int, 2> pair{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    log::warning(system_error("cannot serve a TLS client", errno).message);
    co_return;
  }
  wire->inner.assign(asio::local::stream_protocol(), pair[0]);
  Socket outer(front.executor_, asio::local::stream_protocol(), pair[1]);
  std::optional<TlsPeer> peer(TlsPeer{.certificate = peer_certificate(wire->stream), .address = from.address().to_string()});
  asio::co_spawn(front.executor_, serve_connection(std::move(outer), front.shared_, std::move(peer)), asio::detached);
  asio::co_spawn(front.executor_, send_out(wire), asio::detached);

  std::array<char, kChunk> buffer;  // NOLINT: filled by the read
  while (!error) {
    const auto size = co_await wire->stream.async_read_some(asio::buffer(buffer), token(error));
    if (error) break;
    co_await asio::async_write(wire->inner, asio::buffer(buffer.data(), size), token(error));
  }
  // The client is gone. No client of this API ends its half and goes on listening.
  wire->inner.close(error);
}

/// The answers. When they have ended, so does the client's connection.
asio::awaitable<void> TlsFront::send_out(std::shared_ptr<Wire> wire) {
  std::array<char, kChunk> buffer;  // NOLINT: filled by the read
  ErrorCode error;
  for (;;) {
    const auto size = co_await wire->inner.async_read_some(asio::buffer(buffer), token(error));
    if (error) break;
    wire->expect(wire, HttpLimits{}.progress);  // a client that does not read is cut
    co_await asio::async_write(wire->stream, asio::buffer(buffer.data(), size), token(error));
    wire->expect_nothing();
    if (error) break;
  }
  wire->expect(wire, kGoodbye);
  co_await wire->stream.async_shutdown(token(error));
  wire->expect_nothing();
  wire->stream.lowest_layer().close(error);
}

}  // namespace berth::rest
