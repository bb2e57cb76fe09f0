#pragma once

#include <string>
#include <string_view>

#include "base/names.hpp"
#include "base/result.hpp"
#include "daemon/domain/certificate.hpp"

namespace berth::ports {

/// The server's own certificate and its key.
struct ServerIdentity {
  std::string certificate_pem;
  std::string key_pem;
  Fingerprint fingerprint;
};

/// The cryptography of the trust store. Any thread; blocking.
class Credentials {
 public:
  virtual ~Credentials() = default;
  /// The server's certificate, made and kept at the first call (P-384, self-signed, ten years) unless it is there.
  /// Errors: Internal when it cannot be made or is damaged.
  virtual Result<ServerIdentity> identity() = 0;
  /// Reads the server's authority and its list of revoked certificates, where there are any; until the next call they hold.
  /// Errors: InvalidArgument that names the file; then nobody is vouched for.
  virtual Result<void> load_authority() = 0;
  /// Any thread; does not block.
  virtual Voucher vouch(std::string_view der) = 0;
  /// SHA-256.
  virtual Fingerprint fingerprint(std::string_view der) = 0;
  /// What is kept of a password: hexadecimal digits of a 32-byte salt and 64 bytes of scrypt (N=16384, r=8, p=1).
  virtual Result<std::string> hash_password(std::string_view password) = 0;
  /// Whether `password` is the one of `kept`; what is no such text is nobody's password.
  virtual bool password_matches(std::string_view password, std::string_view kept) = 0;
  /// Compares in a time that does not tell where they differ.
  virtual bool equal_secrets(std::string_view a, std::string_view b) = 0;
  /// 32 random bytes, in hexadecimal digits.
  virtual Result<std::string> new_secret() = 0;
};

}  // namespace berth::ports
