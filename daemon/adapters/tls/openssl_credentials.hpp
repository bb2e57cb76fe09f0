#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "daemon/adapters/tls/authority.hpp"
#include "daemon/ports/credentials.hpp"

namespace berth::tls {

/// Credentials by OpenSSL. The server's certificate and key are `FOLDER/server.crt` and `FOLDER/server.key` (PEM, the key
/// 0600), as LXD has them: an administrator may put others there before a start. Where there is `FOLDER/server.ca`, that is the
/// server's authority, and `FOLDER/ca.crl` its list of revoked certificates.
class OpensslCredentials final : public ports::Credentials {
 public:
  explicit OpensslCredentials(std::string folder) : folder_(std::move(folder)) {}

  Result<ports::ServerIdentity> identity() override;
  Result<void> load_authority() override;
  Voucher vouch(std::string_view der) override;
  Fingerprint fingerprint(std::string_view der) override;
  Result<std::string> hash_password(std::string_view password) override;
  bool password_matches(std::string_view password, std::string_view kept) override;
  bool equal_secrets(std::string_view a, std::string_view b) override;
  Result<std::string> new_secret() override;

 private:
  const std::string folder_;
  std::mutex mutex_;
  std::optional<ports::ServerIdentity> known_;
  std::shared_ptr<const Authority> authority_;
};

}  // namespace berth::tls
