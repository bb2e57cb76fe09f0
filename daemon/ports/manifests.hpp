#pragma once

#include <vector>

#include "base/names.hpp"
#include "base/result.hpp"
#include "daemon/domain/instance.hpp"

namespace berth::ports {

/// The manifests beside the instances: root-owned, outside any tree a guest can write. Written after the commit, so the
/// database is the truth and a manifest is at most one revision behind. Blocking: workers only; any thread, but one
/// write at a time per instance (the caller holds the instance's lock).
class Manifests {
 public:
  virtual ~Manifests() = default;
  /// Replaces the instance's manifest in one step.
  virtual Result<void> write(const Instance& instance) = 0;
  /// Errors: NotFound; InvalidArgument when it is not a manifest of that instance.
  virtual Result<Instance> read(const Uuid& uuid) = 0;
  /// Absent is success.
  virtual Result<void> remove(const Uuid& uuid) = 0;
  /// Instances that have one, sorted.
  virtual Result<std::vector<Uuid>> list() = 0;
};

}  // namespace berth::ports
