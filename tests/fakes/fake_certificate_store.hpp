#pragma once

#include <algorithm>
#include <mutex>
#include <string>
#include <vector>

#include "daemon/ports/certificate_store.hpp"

namespace berth::fakes {

/// The trust store's table in memory. It passes the contract suite that the SQLite one passes.
class FakeCertificateStore final : public ports::CertificateStore {
 public:
  Result<void> insert_certificate(const Certificate& given) override {
    const std::lock_guard lock(mutex_);
    for (const auto& row : rows_)
      if (row.fingerprint == given.fingerprint) return known();
    rows_.push_back(given);
    sort();
    return {};
  }
  Result<std::uint64_t> update_certificate(const Certificate& given, std::optional<std::uint64_t> expected) override {
    const std::lock_guard lock(mutex_);
    for (auto& row : rows_) {
      if (row.uuid != given.uuid) continue;
      if (expected && *expected != row.revision) return Error{Code::RevisionMismatch, "changed meanwhile"};
      for (const auto& other : rows_)
        if (other.uuid != given.uuid && other.fingerprint == given.fingerprint) return known();
      const auto revision = row.revision + 1;
      const auto created_at = row.created_at;
      const auto owner = row.owner_uid;
      row = given;
      row.revision = revision;
      row.created_at = created_at;
      row.owner_uid = owner;
      sort();
      return revision;
    }
    return Error{Code::NotFound, "Certificate not found"};
  }
  Result<void> delete_certificate(const Uuid& uuid) override {
    const std::lock_guard lock(mutex_);
    if (std::erase_if(rows_, [&](const Certificate& row) { return row.uuid == uuid; }) == 0)
      return Error{Code::NotFound, "Certificate not found"};
    return {};
  }
  Result<std::vector<Certificate>> certificates() override {
    const std::lock_guard lock(mutex_);
    return rows_;
  }

 private:
  static Error known() { return Error{Code::AlreadyExists, "Certificate already in trust store"}; }
  void sort() {
    std::sort(rows_.begin(), rows_.end(), [](const auto& a, const auto& b) { return a.fingerprint < b.fingerprint; });
  }

  std::mutex mutex_;
  std::vector<Certificate> rows_;
};

}  // namespace berth::fakes
