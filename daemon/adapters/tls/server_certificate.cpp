#include "daemon/adapters/tls/server_certificate.hpp"

#include "base/openssl.hpp"

namespace berth::tls {
namespace {

using openssl::failure;

/// Letters, digits, '-' and '.' alone: the text goes into OpenSSL's own little language of extensions.
std::string as_dns_name(const std::string& host) {
  std::string out;
  for (const char c : host)
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.') out += c;
  return out;
}

}  // namespace

Result<KeyPair> make_server_certificate(const std::string& host_name) {
  const auto host = as_dns_name(host_name);
  return make_self_signed({.common_name = "root@" + host,
                           .usage = "serverAuth",
                           .names = (host.empty() ? "" : "DNS:" + host + ",") + "IP:127.0.0.1,IP:0:0:0:0:0:0:0:1"},
                          "cannot make the server's certificate");
}

Result<void> check_key_pair(const KeyPair& pair) {
  const auto certificate = openssl::certificate_of(pair.certificate);
  if (!certificate) return failure("the server's certificate cannot be read");
  const auto key_text = openssl::memory_of(pair.key);
  const openssl::Key key(key_text ? PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr) : nullptr);
  if (!key) return failure("the server's key cannot be read");
  if (X509_check_private_key(certificate.get(), key.get()) != 1)
    return failure("the server's key is not the one of its certificate");
  return {};
}

}  // namespace berth::tls
