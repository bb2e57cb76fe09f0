#pragma once

#include "base/result.hpp"

#include <string>

namespace berth::cli {

/// What a certificate says of itself.
struct CertificateFacts {
  std::string der;
  std::string fingerprint;  ///< 64 hexadecimal digits: SHA-256 of the DER form
  std::string common_name;
  std::string issued_at;   ///< RFC 3339, UTC
  std::string expires_at;  ///< RFC 3339, UTC
};

/// From PEM text. Errors: InvalidArgument.
Result<CertificateFacts> read_certificate(const std::string& pem);
/// PEM text of a certificate in DER form.
std::string pem_of(const std::string& der);

/// Who the user is for servers: PEM texts.
struct ClientIdentity {
  std::string certificate;
  std::string key;
};
/// A new one, for ten years: P-384, named USER@HOST. Errors: Internal.
Result<ClientIdentity> make_client_identity();

}  // namespace berth::cli
