#include "rest-bridge/http/tls_context.hpp"

#include <openssl/ssl.h>

#include <boost/asio/buffer.hpp>

#include "base/openssl.hpp"

namespace berth::rest {

namespace ssl = boost::asio::ssl;

Result<TlsContext> make_tls_context(const std::string& certificate_pem, const std::string& key_pem) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  auto* raw = context->native_handle();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_options(raw, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_num_tickets(raw, 0);
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  boost::system::error_code error;
  context->use_certificate_chain(boost::asio::buffer(certificate_pem), error);
  if (!error) context->use_private_key(boost::asio::buffer(key_pem), ssl::context::pem, error);
  if (!error) context->set_verify_mode(ssl::verify_peer, error);
  // Certificates sign themselves here: no authority is asked, and the daemon compares the whole of it.
  if (!error) context->set_verify_callback([](bool, ssl::verify_context&) { return true; }, error);
  if (error) return Error{Code::InvalidArgument, "the server's certificate cannot be used: " + error.message()};
  return context;
}

std::string peer_certificate(TlsStream& stream) {
  return openssl::der_of(openssl::Certificate(SSL_get1_peer_certificate(stream.native_handle())).get());
}

}  // namespace berth::rest
