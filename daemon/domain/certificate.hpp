#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/names.hpp"
#include "daemon/domain/document.hpp"
#include "daemon/domain/types.hpp"

namespace berth {

/// A TLS client that is trusted. Known by the SHA-256 of its certificate's DER, which is all that a decision looks at
/// beside the dates.
struct Certificate {
  Uuid uuid;
  Fingerprint fingerprint;
  std::string type = "client";
  std::string name;
  std::string pem;
  Timestamp valid_from{}, valid_until{};
  bool restricted = false;
  std::vector<ProjectName> projects;
  std::uint32_t owner_uid = 0;
  std::uint64_t revision = 1;
  Timestamp created_at{};
};

/// What the server's authority (`server.ca`) says of a certificate that a client showed.
enum class Voucher {
  None,      ///< there is no authority
  Signed,    ///< it has signed it, and not revoked it
  Refused,   ///< it has not signed it, or has revoked it, or its list of those cannot be believed
};

/// A certificate that a TLS client has the key of.
struct ShownCertificate {
  std::string der;  ///< empty: it showed none
  std::string fingerprint;
  Voucher voucher = Voucher::None;
};

/// What a trusted TLS client may do.
struct ClientRights {
  bool restricted = false;
  std::vector<ProjectName> projects;  ///< where it may, if it is restricted
  friend bool operator==(const ClientRights&, const ClientRights&) = default;
};

Document certificate_document(const Certificate& certificate);

}  // namespace berth
