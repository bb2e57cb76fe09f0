#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "daemon/ports/backup_store.hpp"

namespace berth::fakes {

/// Backups in memory. Any thread.
class FakeBackupStore final : public ports::BackupStore {
 public:
  Result<UniqueFd> begin() override {
    UniqueFd fd(memfd_create("backup", MFD_CLOEXEC));
    if (!fd) return Error{Code::Internal, "cannot make a file in memory"};
    return fd;
  }
  Result<ports::ScratchFolder> make_scratch() override {
    std::string path = "/tmp/berth-fake-folder-XXXXXX";
    if (mkdtemp(path.data()) == nullptr) return Error{Code::Internal, "cannot make a folder"};
    return ports::ScratchFolder{
        .folder = UniqueFd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
        .kept = std::shared_ptr<void>(nullptr, [path](void*) { std::filesystem::remove_all(path); })};
  }
  Result<void> commit(const Uuid& instance, const Backup& backup, UniqueFd file) override {
    const std::lock_guard lock(mutex_);
    auto& all = kept_[instance];
    if (find(all, backup.name) != all.end())
      return Error{Code::AlreadyExists, "Backup \"" + backup.name.str() + "\" already exists"};
    all.emplace_back(backup, std::move(file));
    return {};
  }
  Result<std::vector<Backup>> list(const Uuid& instance) override {
    const std::lock_guard lock(mutex_);
    std::vector<Backup> out;
    for (const auto& [backup, file] : kept_[instance]) out.push_back(backup);
    std::stable_sort(out.begin(), out.end(), [](const Backup& a, const Backup& b) { return a.created_at < b.created_at; });
    return out;
  }
  Result<UniqueFd> open(const Uuid& instance, const BackupName& name) override {
    const std::lock_guard lock(mutex_);
    auto& all = kept_[instance];
    const auto found = find(all, name);
    if (found == all.end()) return missing(name);
    return UniqueFd(::open(("/proc/self/fd/" + std::to_string(found->second.get())).c_str(), O_RDONLY | O_CLOEXEC));
  }
  Result<void> rename(const Uuid& instance, const BackupName& name, const BackupName& to) override {
    const std::lock_guard lock(mutex_);
    auto& all = kept_[instance];
    const auto found = find(all, name);
    if (found == all.end()) return missing(name);
    if (find(all, to) != all.end()) return Error{Code::AlreadyExists, "Backup \"" + to.str() + "\" already exists"};
    found->first.name = to;
    return {};
  }
  Result<void> remove(const Uuid& instance, const BackupName& name) override {
    const std::lock_guard lock(mutex_);
    auto& all = kept_[instance];
    const auto found = find(all, name);
    if (found == all.end()) return missing(name);
    all.erase(found);
    return {};
  }
  Result<void> remove_all(const Uuid& instance) override {
    const std::lock_guard lock(mutex_);
    kept_.erase(instance);
    return {};
  }
  Result<std::vector<Uuid>> instances() override {
    const std::lock_guard lock(mutex_);
    std::vector<Uuid> out;
    for (const auto& [instance, all] : kept_)
      if (!all.empty()) out.push_back(instance);
    return out;
  }

 private:
  using Kept = std::vector<std::pair<Backup, UniqueFd>>;
  static Kept::iterator find(Kept& all, const BackupName& name) {
    return std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.first.name == name; });
  }
  static Error missing(const BackupName& name) { return Error{Code::NotFound, "There is no backup \"" + name.str() + "\""}; }

  std::mutex mutex_;
  std::map<Uuid, Kept> kept_;
};

}  // namespace berth::fakes
