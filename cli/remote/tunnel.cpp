#include "cli/remote/tunnel.hpp"

#include "base/openssl.hpp"
#include "cli/certificate.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <chrono>
#include <memory>
#include <stdexcept>

namespace berth::cli {
namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using TlsSocket = ssl::stream<tcp::socket>;
using ErrorCode = boost::system::error_code;

constexpr auto kLongestConnect = std::chrono::seconds(20);

/// A connection over TLS and the other end of the user's stream.
struct Tunnel {
  ssl::context context;
  std::optional<TlsSocket> tls;
  PlainSocket plain;
  Tunnel(asio::any_io_executor executor) : context(ssl::context::tls_client), plain(executor) {}
};

template <typename From, typename To>
asio::awaitable<void> carry(std::shared_ptr<Tunnel> tunnel, From& from, To& to, bool outwards) {
  std::array<char, 16 * 1024> buffer{};
  ErrorCode error;
  for (;;) {
    const auto size =
        co_await from.async_read_some(asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, error));
    if (error) break;
    co_await asio::async_write(to, asio::buffer(buffer, size), asio::redirect_error(asio::use_awaitable, error));
    if (error) break;
  }
  ErrorCode ignored;
  if (outwards) {
    // Whoever has the other end is gone: nobody reads what the server may still say.
    tunnel->tls->lowest_layer().close(ignored);
  } else {
    tunnel->plain.shutdown(PlainSocket::shutdown_send, ignored);
  }
}

std::string peer_der(SSL* connection) {
  return openssl::der_of(openssl::Certificate(SSL_get1_peer_certificate(connection)).get());
}

/// One judge for all sources of trust: the pinned certificate alone, or else an authority for the server's name.
bool is_trusted(SSL* connection, const Destination& destination) {
  if (destination.pinned.empty()) return SSL_get_verify_result(connection) == X509_V_OK;
  const auto pinned = read_certificate(destination.pinned);
  return pinned && pinned->der == peer_der(connection);
}

void set_up(Tunnel& tunnel, const Destination& destination) {
  auto& context = tunnel.context;
  SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
  // Reading the system's authorities takes longer than the handshake, and a pinned certificate needs none.
  if (!destination.authority.empty())
    context.load_verify_file(destination.authority);
  else if (destination.pinned.empty())
    context.set_default_verify_paths();
  if (!destination.certificate.empty()) {
    context.use_certificate_chain(asio::buffer(destination.certificate));
    context.use_private_key(asio::buffer(destination.key), ssl::context::pem);
  }
  // The handshake goes on in any case; the result is looked at before a byte of ours is sent.
  context.set_verify_mode(ssl::verify_none);
}

void expect_name(SSL* connection, const std::string& host) {
  auto* const parameters = SSL_get0_param(connection);
  ErrorCode not_an_address;
  asio::ip::make_address(host, not_an_address);
  if (!not_an_address) {
    X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str());
    return;
  }
  X509_VERIFY_PARAM_set1_host(parameters, host.c_str(), host.size());
  // What SSL_set_tlsext_host_name() does, without its cast.
  SSL_ctrl(connection, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, const_cast<char*>(host.c_str()));
}

/// Connects and shakes hands; the certificate is not judged yet.
asio::awaitable<std::shared_ptr<Tunnel>> shake_hands(Destination destination) {
  const auto executor = co_await asio::this_coro::executor;
  auto tunnel = std::make_shared<Tunnel>(executor);
  set_up(*tunnel, destination);
  tunnel->tls.emplace(executor, tunnel->context);
  auto& tls = *tunnel->tls;
  tcp::resolver resolver(executor);
  const auto found = co_await resolver.async_resolve(destination.host, destination.port, asio::use_awaitable);
  asio::steady_timer deadline(executor, kLongestConnect);
  bool late = false;
  deadline.async_wait([tunnel, &late](ErrorCode error) {
    if (error) return;
    late = true;
    ErrorCode ignored;
    tunnel->tls->lowest_layer().close(ignored);
  });
  try {
    co_await asio::async_connect(tls.lowest_layer(), found, asio::use_awaitable);
    tls.lowest_layer().set_option(tcp::no_delay(true));
    expect_name(tls.native_handle(), destination.host);
    co_await tls.async_handshake(ssl::stream_base::client, asio::use_awaitable);
  } catch (const boost::system::system_error&) {
    if (late) throw std::runtime_error("it did not answer in 20 seconds");
    throw;
  }
  co_return tunnel;
}

}  // namespace

std::string Destination::host_header() const {
  if (!socket_path.empty()) return "berth";
  return (host.find(':') == std::string::npos ? host : '[' + host + ']') + ':' + port;
}

Result<Destination> parse_https(const std::string& address) {
  const std::string scheme = "https://";
  const Error wrong{Code::InvalidArgument, "\"" + address + "\" is no https address"};
  if (!address.starts_with(scheme)) return wrong;
  auto host = address.substr(scheme.size());
  host = host.substr(0, host.find('/'));
  Destination destination;
  destination.port = "443";
  const auto bracket = host.rfind(']');
  const auto colon = host.rfind(':');
  if (colon != std::string::npos && (bracket == std::string::npos || colon > bracket)) {
    destination.port = host.substr(colon + 1);
    host.erase(colon);
  }
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  if (host.empty() || destination.port.empty()) return wrong;
  destination.host = host;
  return destination;
}

asio::awaitable<PlainSocket> connect_plain(Destination destination) {
  const auto executor = co_await asio::this_coro::executor;
  PlainSocket socket(executor);
  if (!destination.socket_path.empty()) {
    co_await socket.async_connect(asio::local::stream_protocol::endpoint(destination.socket_path), asio::use_awaitable);
    co_return socket;
  }
  auto tunnel = co_await shake_hands(destination);
  if (!is_trusted(tunnel->tls->native_handle(), destination))
    throw std::runtime_error(destination.pinned.empty()
                                 ? "no authority vouches for its certificate; add it as a remote anew to confirm it"
                                 : "its certificate is not the one that you confirmed when you added it");
  asio::local::connect_pair(socket, tunnel->plain);
  asio::co_spawn(executor, carry(tunnel, tunnel->plain, *tunnel->tls, true), asio::detached);
  asio::co_spawn(executor, carry(tunnel, *tunnel->tls, tunnel->plain, false), asio::detached);
  co_return socket;
}

Result<ShownCertificate> shown_certificate(const std::string& address) {
  BERTH_TRY(const auto destination, parse_https(address));
  asio::io_context io;
  ShownCertificate shown;
  std::string failure;
  const auto look = [&]() -> asio::awaitable<void> {
    try {
      const auto tunnel = co_await shake_hands(destination);
      auto* const connection = tunnel->tls->native_handle();
      shown = {.der = peer_der(connection), .trusted = is_trusted(connection, destination)};
    } catch (const std::exception& error) {
      failure = error.what();
    }
  };
  asio::co_spawn(io, look(), asio::detached);
  io.run();
  if (!failure.empty()) return Error{Code::Unavailable, "cannot reach " + address + ": " + failure};
  return shown;
}

}  // namespace berth::cli
