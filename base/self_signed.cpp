#include "base/self_signed.hpp"

#include <openssl/bn.h>
#include <openssl/x509v3.h>

#include <memory>

#include "base/openssl.hpp"

namespace berth {
namespace {

constexpr int kVersion3 = 2;  // X.509 counts from 0
constexpr int kSerialBits = 127;
constexpr int kDays = 3650;
/// Longer names do not fit a common name (RFC 5280 A.1).
constexpr std::size_t kLongestCommonName = 64;

using openssl::Certificate;
using openssl::failure;
using openssl::Key;
using openssl::Memory;
using Number = std::unique_ptr<BIGNUM, openssl::FreeBy<BN_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, openssl::FreeBy<X509_EXTENSION_free>>;

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

bool fill(X509* certificate, EVP_PKEY* key, const SelfSignedRequest& request) {
  auto* const subject = X509_get_subject_name(certificate);
  return X509_set_version(certificate, kVersion3) == 1 && set_serial(certificate) &&
         X509_gmtime_adj(X509_getm_notBefore(certificate), 0) != nullptr &&
         X509_time_adj_ex(X509_getm_notAfter(certificate), kDays, 0, nullptr) != nullptr &&
         X509_set_pubkey(certificate, key) == 1 && add_name(subject, "O", "linuxcontainers.org") &&
         add_name(subject, "CN", request.common_name.substr(0, kLongestCommonName)) &&
         X509_set_issuer_name(certificate, subject) == 1 &&
         add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
         add_extension(certificate, NID_key_usage, "critical,digitalSignature,keyEncipherment") &&
         add_extension(certificate, NID_ext_key_usage, request.usage) &&
         (request.names.empty() || add_extension(certificate, NID_subject_alt_name, request.names)) &&
         X509_sign(certificate, key, EVP_sha384()) > 0;
}

bool write_key(BIO* to, EVP_PKEY* key, KeyForm form) {
  if (form == KeyForm::Classic) return PEM_write_bio_PrivateKey_traditional(to, key, nullptr, nullptr, 0, nullptr, nullptr) == 1;
  return PEM_write_bio_PKCS8PrivateKey(to, key, nullptr, nullptr, 0, nullptr, nullptr) == 1;
}

}  // namespace

Result<KeyPair> make_self_signed(const SelfSignedRequest& request, const std::string& what) {
  const Key key(EVP_EC_gen("P-384"));
  const Certificate certificate(X509_new());
  const Memory certificate_text(BIO_new(BIO_s_mem()));
  const Memory key_text(BIO_new(BIO_s_mem()));
  if (!key || !certificate || !certificate_text || !key_text || !fill(certificate.get(), key.get(), request) ||
      PEM_write_bio_X509(certificate_text.get(), certificate.get()) != 1 ||
      !write_key(key_text.get(), key.get(), request.form))
    return failure(what);
  return KeyPair{openssl::contents(certificate_text), openssl::contents(key_text)};
}

}  // namespace berth
