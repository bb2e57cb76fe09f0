#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/names.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "daemon/domain/backup.hpp"
#include "daemon/domain/document.hpp"
#include "daemon/domain/principal.hpp"
#include "daemon/services/context.hpp"
#include "daemon/services/snapshots.hpp"

namespace berth::services {

struct BackupRequest {
  std::optional<BackupName> name;  ///< none: `backup0` and so on
  Timestamp expires_at = kNever;
  bool instance_only = false;  ///< without snapshots
  bool optimized = false;      ///< in the storage driver's own form: refused
  std::string compression;     ///< as LXD's `compression_algorithm`; empty: the server's key
};

/// Backups of instances, in the layout of LXD 5.0.2. A container that runs stands still only for as long as its changes are
/// set aside. Blocking; workers only.
class InstanceBackups {
 public:
  explicit InstanceBackups(Context& context) : context_(context) {}

  /// Packs into a file of the backup store.
  Result<OperationId> create(const Principal& who, const InstanceRef& of, BackupRequest request);
  /// Packs into `target`, a pipe, a socket or a file; nothing is stored. The operation ends when all is written.
  Result<OperationId> stream(const Principal& who, const InstanceRef& of, BackupRequest request, UniqueFd target);
  /// The oldest first; `name` given: this one, NotFound when it is absent.
  Result<std::vector<Document>> describe(const Principal& who, const InstanceRef& of,
                                         const std::optional<BackupName>& name);
  Result<OperationId> rename(const Principal& who, const InstanceRef& of, const BackupName& name, const BackupName& to);
  Result<OperationId> remove(const Principal& who, const InstanceRef& of, const BackupName& name);
  /// Writes a stored backup to `target` and tells its size; that goes on after this has returned. What comes is as long as
  /// that, unless it breaks off.
  Result<std::uint64_t> send(const Principal& who, const InstanceRef& of, const BackupName& name, UniqueFd target);

  /// Begins to delete what has expired, now and every hour.
  void keep_expiring();
  /// Deletes what has expired; the number of backups that went.
  Result<std::size_t> delete_expired();

 private:
  Context& context_;
};

}  // namespace berth::services
