#pragma once

#include <algorithm>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "daemon/ports/certificate_store.hpp"
#include "daemon/ports/store.hpp"

namespace berth::fakes {

/// The trust store's table in memory, beside the store that has the projects. It passes the contract suite that the SQLite one
/// passes.
class FakeCertificateStore final : public ports::CertificateStore {
 public:
  explicit FakeCertificateStore(ports::Store& projects) : projects_(projects) {}

  Result<void> insert_certificate(const Certificate& given) override {
    const std::lock_guard lock(mutex_);
    for (const auto& row : rows_)
      if (row.fingerprint == given.fingerprint) return known();
    BERTH_TRY(auto projects, find(given.projects));
    projects_of_[given.uuid] = std::move(projects);
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
      BERTH_TRY(auto projects, find(given.projects));
      projects_of_[given.uuid] = std::move(projects);
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
    BERTH_TRY(const auto known, projects_.projects(daemon_principal()));
    auto rows = rows_;
    for (auto& row : rows) {
      row.projects.clear();
      for (const auto& uuid : projects_of_[row.uuid])
        for (const auto& project : known)
          if (project.uuid == uuid) row.projects.push_back(project.name);
    }
    return rows;
  }

 private:
  static Error known() { return Error{Code::AlreadyExists, "Certificate already in trust store"}; }
  Result<std::vector<Uuid>> find(const std::vector<ProjectName>& names) {
    std::vector<Uuid> out;
    for (const auto& name : names) {
      BERTH_TRY(const auto project, projects_.project(daemon_principal(), name));
      out.push_back(project.uuid);
    }
    return out;
  }
  void sort() {
    std::sort(rows_.begin(), rows_.end(), [](const auto& a, const auto& b) { return a.fingerprint < b.fingerprint; });
  }

  ports::Store& projects_;
  std::mutex mutex_;
  std::vector<Certificate> rows_;
  std::map<Uuid, std::vector<Uuid>> projects_of_;
};

}  // namespace berth::fakes
