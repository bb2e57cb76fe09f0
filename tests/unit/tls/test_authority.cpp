#include "tests/unit/tls/test_authority.hpp"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace berth::testing_support {
namespace {

constexpr long kDay = 24L * 60 * 60;

void add_extension(X509* to, int nid, const std::string& value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
  X509_add_ext(to, extension, -1);
  X509_EXTENSION_free(extension);
}

std::string taken(BIO* memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(memory);
  return text;
}

}  // namespace

TestAuthority::TestAuthority(const std::string& name) : key_(EVP_EC_gen("P-256")) {
  certificate_ = make(name, key_.get(), 1, 1);
  X509_set_issuer_name(certificate_.get(), X509_get_subject_name(certificate_.get()));
  add_extension(certificate_.get(), NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate_.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  X509_sign(certificate_.get(), key_.get(), EVP_sha256());
}

std::unique_ptr<X509, TestAuthority::Free> TestAuthority::make(const std::string& name, EVP_PKEY* key, long serial, int days) const {
  std::unique_ptr<X509, Free> made(X509_new());
  X509_set_version(made.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -2 * kDay);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), days * kDay);
  X509_set_pubkey(made.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  return made;
}

std::string TestAuthority::pem() const {
  BIO* memory = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(memory, certificate_.get());
  return taken(memory);
}

std::string TestAuthority::sign(long serial, int days, const std::string& usage) const {
  const std::unique_ptr<EVP_PKEY, Free> key(EVP_EC_gen("P-256"));
  const auto made = make("client", key.get(), serial, days);
  X509_set_issuer_name(made.get(), X509_get_subject_name(certificate_.get()));
  add_extension(made.get(), NID_ext_key_usage, usage);
  X509_sign(made.get(), key_.get(), EVP_sha256());
  BIO* memory = BIO_new(BIO_s_mem());
  i2d_X509_bio(memory, made.get());
  return taken(memory);
}

std::string TestAuthority::list(const std::vector<long>& revoked, int days) const {
  X509_CRL* made = X509_CRL_new();
  X509_CRL_set_version(made, 1);
  X509_CRL_set_issuer_name(made, X509_get_subject_name(certificate_.get()));
  ASN1_TIME* when = ASN1_TIME_new();
  X509_gmtime_adj(when, -2 * kDay);
  X509_CRL_set1_lastUpdate(made, when);
  for (const long serial : revoked) {
    X509_REVOKED* entry = X509_REVOKED_new();
    ASN1_INTEGER* number = ASN1_INTEGER_new();
    ASN1_INTEGER_set(number, serial);
    X509_REVOKED_set_serialNumber(entry, number);
    X509_REVOKED_set_revocationDate(entry, when);
    X509_CRL_add0_revoked(made, entry);
    ASN1_INTEGER_free(number);
  }
  X509_gmtime_adj(when, days * kDay);
  X509_CRL_set1_nextUpdate(made, when);
  ASN1_TIME_free(when);
  X509_CRL_sort(made);
  X509_CRL_sign(made, key_.get(), EVP_sha256());
  BIO* memory = BIO_new(BIO_s_mem());
  PEM_write_bio_X509_CRL(memory, made);
  X509_CRL_free(made);
  return taken(memory);
}

}  // namespace berth::testing_support
