#pragma once

#include <utility>  // Boost 1.81 uses std::exchange without it

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <memory>
#include <string>

#include "base/result.hpp"

namespace berth::rest {

using TlsContext = std::shared_ptr<boost::asio::ssl::context>;
using TlsStream = boost::asio::ssl::stream<boost::asio::ip::tcp::socket>;

/// TLS 1.2 and 1.3 with the server's certificate. Clients are asked for a certificate and may have none; here it is proven
/// only that they have its key, and the daemon decides what it is worth. No session is resumed, so that each connection
/// proves it again. Errors: InvalidArgument for PEM texts that are no pair.
Result<TlsContext> make_tls_context(const std::string& certificate_pem, const std::string& key_pem);

/// DER of the certificate that the peer of an established connection showed; empty without one.
std::string peer_certificate(TlsStream& stream);

}  // namespace berth::rest
