#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

namespace berth::testing_support {

/// An authority as an administrator has one: it signs certificates and keeps the list of those that it has revoked.
class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name);

  std::string pem() const;
  /// DER of a client's certificate of that serial number, which ends `days` from now.
  std::string sign(long serial, int days = 1, const std::string& usage = "clientAuth") const;
  /// PEM of the list, which is up to date until `days` from now.
  std::string list(const std::vector<long>& revoked, int days = 1) const;

 private:
  struct Free {
    void operator()(X509* it) const noexcept { X509_free(it); }
    void operator()(EVP_PKEY* it) const noexcept { EVP_PKEY_free(it); }
  };
  std::unique_ptr<X509, Free> make(const std::string& name, EVP_PKEY* key, long serial, int days) const;

  std::unique_ptr<EVP_PKEY, Free> key_;
  std::unique_ptr<X509, Free> certificate_;
};

}  // namespace berth::testing_support
