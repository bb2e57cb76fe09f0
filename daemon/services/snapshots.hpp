#pragma once

#include "base/names.hpp"
#include "base/result.hpp"
#include "daemon/domain/document.hpp"
#include "daemon/domain/principal.hpp"
#include "daemon/domain/snapshot.hpp"
#include "daemon/services/context.hpp"
#include "daemon/services/entity_locks.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace berth::services {

struct SnapshotRequest {
  std::optional<SnapshotName> name;     ///< none: by `snapshots.pattern`
  std::optional<Timestamp> expires_at;  ///< none: by `snapshots.expiry`; kNever: kept
  bool stateful = false;                ///< refused: the state of processes cannot be kept
};

/// Which instance is meant.
struct InstanceRef {
  ProjectName project;
  InstanceName name;
};

/// Snapshots of instances, as users ask for them. Blocking; workers only.
class Snapshots {
 public:
  explicit Snapshots(Context& context) : context_(context) {}

  /// A running container stands still for as long as its changes are copied.
  Result<OperationId> create(const Principal& who, const InstanceRef& of, SnapshotRequest request);
  /// The oldest first; `names` given: exactly these, NotFound when one is absent.
  Result<std::vector<Document>> describe(const Principal& who, const InstanceRef& of,
                                         const std::optional<std::vector<SnapshotName>>& names);
  Result<std::vector<Snapshot>> list(const Principal& who, const InstanceRef& of);
  /// Root and configuration go back; a container that runs is killed before and started after.
  Result<OperationId> restore(const Principal& who, const InstanceRef& of, const SnapshotName& name);
  Result<OperationId> rename(const Principal& who, const InstanceRef& of, const SnapshotName& name,
                             const SnapshotName& to);
  /// `expires_at` none: nothing changes.
  Result<OperationId> update(const Principal& who, const InstanceRef& of, const SnapshotName& name,
                             std::optional<Timestamp> expires_at, std::optional<std::uint64_t> if_revision);
  Result<OperationId> remove(const Principal& who, const InstanceRef& of, const SnapshotName& name);

 private:
  Context& context_;
};

/// The snapshots of an instance as documents; `expander` merges profiles.
Result<std::vector<Document>> snapshot_documents(Context& context, const Instance& instance,
                                                 const std::vector<Snapshot>& snapshots);

}  // namespace berth::services
