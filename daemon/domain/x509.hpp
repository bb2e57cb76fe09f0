#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "daemon/domain/types.hpp"

namespace berth {

/// What the trust store must know of a certificate beside its bytes.
struct CertificateDates {
  Timestamp valid_from{};
  Timestamp valid_until{};
};

/// No client's certificate is larger.
inline constexpr std::size_t kLargestCertificate = 64 * 1024;

/// Reads the validity of one X.509 certificate in DER (RFC 5280 4.1), and holds its outer form to the letter: definite and
/// shortest lengths, the fields of a TBSCertificate in their order, nothing after the end. It is the daemon's only look
/// into a certificate: who has its key is proven to the bridge's TLS library, which runs without rights, and whom the
/// daemon trusts is decided by the SHA-256 of these very bytes.
/// Errors: InvalidArgument that says what is wrong.
Result<CertificateDates> read_certificate_dates(std::string_view der);

/// PEM armour around a certificate's DER.
std::string certificate_pem(std::string_view der);
/// The DER in the first certificate of a PEM text. Errors: InvalidArgument.
Result<std::string> certificate_der(std::string_view pem);

}  // namespace berth
