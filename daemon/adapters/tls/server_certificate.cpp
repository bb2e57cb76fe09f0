#include "daemon/adapters/tls/server_certificate.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>
#include <memory>

namespace berth::tls {
namespace {

template <auto Free>
struct FreeBy {
  template <typename T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};
using Certificate = std::unique_ptr<X509, FreeBy<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, FreeBy<EVP_PKEY_free>>;
using Memory = std::unique_ptr<BIO, FreeBy<BIO_free>>;

Error failure(const std::string& what) {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  ERR_clear_error();
  return Error{Code::Internal, what + ": " + text.data()};
}

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
  const Memory certificate_text(BIO_new_mem_buf(pair.certificate.data(), static_cast<int>(pair.certificate.size())));
  const Memory key_text(BIO_new_mem_buf(pair.key.data(), static_cast<int>(pair.key.size())));
  if (!certificate_text || !key_text) return failure("cannot read the server's certificate");
  const Certificate certificate(PEM_read_bio_X509(certificate_text.get(), nullptr, nullptr, nullptr));
  if (!certificate) return failure("the server's certificate cannot be read");
  const Key key(PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr));
  if (!key) return failure("the server's key cannot be read");
  if (X509_check_private_key(certificate.get(), key.get()) != 1)
    return failure("the server's key is not the one of its certificate");
  return {};
}

}  // namespace berth::tls
