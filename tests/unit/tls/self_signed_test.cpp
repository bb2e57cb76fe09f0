#include "base/self_signed.hpp"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "daemon/adapters/tls/server_certificate.hpp"
#include "daemon/domain/x509.hpp"

namespace berth {
namespace {

struct Free {
  void operator()(X509* it) const noexcept { X509_free(it); }
};
std::unique_ptr<X509, Free> read(const std::string& pem) {
  BIO* memory = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  std::unique_ptr<X509, Free> certificate(PEM_read_bio_X509(memory, nullptr, nullptr, nullptr));
  BIO_free(memory);
  return certificate;
}

TEST(ASelfSignedCertificate, IsItsKeysOwnAndForTheUseThatWasAskedFor) {
  const auto made = make_self_signed({.common_name = std::string(70, 'x'), .usage = "clientAuth", .form = KeyForm::Classic}, "cannot");
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_TRUE(tls::check_key_pair(*made));
  EXPECT_TRUE(made->key.starts_with("-----BEGIN EC PRIVATE KEY-----"));
  const auto certificate = read(made->certificate);
  ASSERT_NE(certificate, nullptr);
  EXPECT_EQ(X509_get_extended_key_usage(certificate.get()), static_cast<std::uint32_t>(XKU_SSL_CLIENT));
  EXPECT_EQ(X509_verify(certificate.get(), X509_get0_pubkey(certificate.get())), 1);
  EXPECT_TRUE(read_certificate_dates(*certificate_der(made->certificate)));
}

TEST(ASelfSignedCertificate, OfAServerHasItsNames) {
  const auto made = tls::make_server_certificate("host.example;x");
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_TRUE(made->key.starts_with("-----BEGIN PRIVATE KEY-----"));
  const auto certificate = read(made->certificate);
  ASSERT_NE(certificate, nullptr);
  EXPECT_EQ(X509_check_host(certificate.get(), "host.examplex", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_ip_asc(certificate.get(), "127.0.0.1", 0), 1);
  EXPECT_EQ(X509_get_extended_key_usage(certificate.get()), static_cast<std::uint32_t>(XKU_SSL_SERVER));
}

}  // namespace
}  // namespace berth
