#pragma once

#include "daemon/ports/manifests.hpp"

#include <map>
#include <mutex>
#include <utility>

namespace berth::fakes {

/// Manifests in memory. Any thread.
class FakeManifests final : public ports::Manifests {
 public:
  void fail_next(Error error) {
    const std::lock_guard lock(mutex_);
    failure_ = std::move(error);
  }

  Result<void> write(const Instance& instance) override {
    const std::lock_guard lock(mutex_);
    if (failure_) return *std::exchange(failure_, std::nullopt);
    rows_.insert_or_assign(instance.uuid, instance);
    return {};
  }
  Result<Instance> read(const Uuid& uuid) override {
    const std::lock_guard lock(mutex_);
    const auto found = rows_.find(uuid);
    if (found == rows_.end()) return Error{Code::NotFound, "No manifest of " + uuid.str()};
    return found->second;
  }
  Result<void> remove(const Uuid& uuid) override {
    const std::lock_guard lock(mutex_);
    rows_.erase(uuid);
    return {};
  }
  Result<std::vector<Uuid>> list() override {
    const std::lock_guard lock(mutex_);
    std::vector<Uuid> all;
    for (const auto& [uuid, row] : rows_) all.push_back(uuid);
    return all;
  }

 private:
  std::mutex mutex_;
  std::optional<Error> failure_;
  std::map<Uuid, Instance> rows_;
};

}  // namespace berth::fakes
