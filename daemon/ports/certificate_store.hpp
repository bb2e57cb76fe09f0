#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "daemon/domain/certificate.hpp"

namespace berth::ports {

/// The trust store's table: as ports::Store, any thread, each call one durable transaction.
/// The projects of a certificate follow their own rows: a renamed one has its new name here, a deleted one is gone.
/// Errors: NotFound `Certificate not found`, or names the project that is not there; AlreadyExists `Certificate already in trust store`; RevisionMismatch.
class CertificateStore {
 public:
  virtual ~CertificateStore() = default;
  virtual Result<void> insert_certificate(const Certificate& certificate) = 0;
  /// The row of that uuid; its fingerprint may be another one from now on. Gives the new revision.
  virtual Result<std::uint64_t> update_certificate(const Certificate& certificate,
                                                   std::optional<std::uint64_t> expected_revision) = 0;
  virtual Result<void> delete_certificate(const Uuid& uuid) = 0;
  /// All of them, by fingerprint.
  virtual Result<std::vector<Certificate>> certificates() = 0;
};

}  // namespace berth::ports
