#include "daemon/adapters/tls/server_certificate.hpp"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <memory>

namespace berth::tls {
namespace {

constexpr int kVersion3 = 2;  // X.509 counts from 0
constexpr int kSerialBits = 127;
constexpr int kDays = 3650;
/// Longer names do not fit a common name (RFC 5280 A.1).
constexpr std::size_t kLongestCommonName = 64;

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
using Number = std::unique_ptr<BIGNUM, FreeBy<BN_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, FreeBy<X509_EXTENSION_free>>;

Error failure(const std::string& what) {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  ERR_clear_error();
  return Error{Code::Internal, what + ": " + text.data()};
}

bool add_name(X509_NAME* name, const char* field, const std::string& value) {
  return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(value.c_str()),
                                    -1, -1, 0) == 1;
}

bool add_extension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool set_serial(X509* certificate) {
  const Number number(BN_new());
  return number && BN_rand(number.get(), kSerialBits, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

std::string contents(BIO* memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  return std::string(data, static_cast<std::size_t>(std::max(size, 0L)));
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
  const std::string what = "cannot make the server's certificate";
  const Key key(EVP_EC_gen("P-384"));
  const Certificate certificate(X509_new());
  if (!key || !certificate) return failure(what);
  auto* raw = certificate.get();
  auto* subject = X509_get_subject_name(raw);
  const auto host = as_dns_name(host_name);
  const std::string names = (host.empty() ? "" : "DNS:" + host + ",") + "IP:127.0.0.1,IP:0:0:0:0:0:0:0:1";
  const bool made =
      X509_set_version(raw, kVersion3) == 1 && set_serial(raw) && X509_gmtime_adj(X509_getm_notBefore(raw), 0) != nullptr &&
      X509_time_adj_ex(X509_getm_notAfter(raw), kDays, 0, nullptr) != nullptr && X509_set_pubkey(raw, key.get()) == 1 &&
      add_name(subject, "O", "linuxcontainers.org") &&
      add_name(subject, "CN", ("root@" + host).substr(0, kLongestCommonName)) && X509_set_issuer_name(raw, subject) == 1 &&
      add_extension(raw, NID_basic_constraints, "critical,CA:FALSE") &&
      add_extension(raw, NID_key_usage, "critical,digitalSignature,keyEncipherment") &&
      add_extension(raw, NID_ext_key_usage, "serverAuth") && add_extension(raw, NID_subject_alt_name, names) &&
      X509_sign(raw, key.get(), EVP_sha384()) > 0;
  if (!made) return failure(what);
  const Memory certificate_text(BIO_new(BIO_s_mem()));
  const Memory key_text(BIO_new(BIO_s_mem()));
  if (!certificate_text || !key_text || PEM_write_bio_X509(certificate_text.get(), raw) != 1 ||
      PEM_write_bio_PKCS8PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return failure(what);
  return KeyPair{contents(certificate_text.get()), contents(key_text.get())};
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
