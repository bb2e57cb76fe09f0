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

Document certificate_document(const Certificate& certificate);

}  // namespace berth
