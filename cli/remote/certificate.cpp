#include "cli/certificate.hpp"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <memory>
#include <pwd.h>
#include <unistd.h>

namespace berth::cli {
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

bool add_extension(X509* certificate, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
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

std::string time_text(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

std::string der_of(X509* certificate) {
  unsigned char* bytes = nullptr;
  const int size = i2d_X509(certificate, &bytes);
  if (size < 0) return {};
  std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return der;
}

std::string fingerprint_of(const std::string& der) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(der.data(), der.size(), digest.data(), &size, EVP_sha256(), nullptr);
  constexpr const char* kDigits = "0123456789abcdef";
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    text += kDigits[digest.at(i) >> 4U];
    text += kDigits[digest.at(i) & 15U];
  }
  return text;
}

std::string common_name_of(X509* certificate) {
  auto* const subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return {};
  unsigned char* bytes = nullptr;
  const int size = ASN1_STRING_to_UTF8(&bytes, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
  if (size < 0) return {};
  std::string name(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return name;
}

std::string user_at_host() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  const auto* const user = ::getpwuid(::getuid());
  return std::string(user ? user->pw_name : "user") + '@' + host.data();
}

}  // namespace

Result<CertificateFacts> read_certificate(const std::string& pem) {
  const Memory text(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const Certificate certificate(text ? PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr) : nullptr);
  ERR_clear_error();
  if (!certificate) return Error{Code::InvalidArgument, "this is no certificate in PEM form"};
  CertificateFacts facts{.der = der_of(certificate.get())};
  facts.fingerprint = fingerprint_of(facts.der);
  facts.common_name = common_name_of(certificate.get());
  facts.issued_at = time_text(X509_get0_notBefore(certificate.get()));
  facts.expires_at = time_text(X509_get0_notAfter(certificate.get()));
  return facts;
}

std::string pem_of(const std::string& der) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  const Certificate certificate(d2i_X509(nullptr, &bytes, static_cast<long>(der.size())));
  const Memory text(BIO_new(BIO_s_mem()));
  if (!certificate || !text || PEM_write_bio_X509(text.get(), certificate.get()) != 1) return {};
  return contents(text.get());
}

Result<ClientIdentity> make_client_identity() {
  const std::string what = "cannot make a client certificate";
  const Key key(EVP_EC_gen("P-384"));
  const Certificate certificate(X509_new());
  if (!key || !certificate) return failure(what);
  auto* raw = certificate.get();
  auto* subject = X509_get_subject_name(raw);
  const bool made = X509_set_version(raw, kVersion3) == 1 && set_serial(raw) &&
                    X509_gmtime_adj(X509_getm_notBefore(raw), 0) != nullptr &&
                    X509_time_adj_ex(X509_getm_notAfter(raw), kDays, 0, nullptr) != nullptr &&
                    X509_set_pubkey(raw, key.get()) == 1 && add_name(subject, "O", "linuxcontainers.org") &&
                    add_name(subject, "CN", user_at_host().substr(0, kLongestCommonName)) &&
                    X509_set_issuer_name(raw, subject) == 1 &&
                    add_extension(raw, NID_basic_constraints, "critical,CA:FALSE") &&
                    add_extension(raw, NID_key_usage, "critical,digitalSignature,keyEncipherment") &&
                    add_extension(raw, NID_ext_key_usage, "clientAuth") && X509_sign(raw, key.get(), EVP_sha384()) > 0;
  if (!made) return failure(what);
  const Memory certificate_text(BIO_new(BIO_s_mem()));
  const Memory key_text(BIO_new(BIO_s_mem()));
  // The classic form of the key: the one that lxc writes and reads.
  if (!certificate_text || !key_text || PEM_write_bio_X509(certificate_text.get(), raw) != 1 ||
      PEM_write_bio_PrivateKey_traditional(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return failure(what);
  return ClientIdentity{.certificate = contents(certificate_text.get()), .key = contents(key_text.get())};
}

}  // namespace berth::cli
