#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/names.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "daemon/domain/backup.hpp"

namespace berth::ports {

/// A folder of root's that goes with this. Made and dropped by one thread at a time.
struct ScratchFolder {
  UniqueFd folder;
  std::shared_ptr<void> kept;  ///< its end removes the folder
};

/// Files of backups, each with what is known of it beside it: no database is needed to find them again. Blocking: workers
/// only; any thread, but one change at a time per instance (the caller holds the instance's lock).
/// Errors: NotFound, AlreadyExists, Unavailable (disk full), Internal.
class BackupStore {
 public:
  virtual ~BackupStore() = default;

  /// A new file to write to, gone when it is closed unless commit() keeps it. Also for what is only passing through.
  virtual Result<UniqueFd> begin() = 0;
  /// An empty folder for what is only passing through.
  virtual Result<ScratchFolder> make_scratch() = 0;
  /// Keeps a file of begin(), on the disk, as a backup of the instance.
  virtual Result<void> commit(const Uuid& instance, const Backup& backup, UniqueFd file) = 0;
  /// The oldest first.
  virtual Result<std::vector<Backup>> list(const Uuid& instance) = 0;
  /// For reading, from the start. What is open stays readable when the backup is deleted.
  virtual Result<UniqueFd> open(const Uuid& instance, const BackupName& name) = 0;
  virtual Result<void> rename(const Uuid& instance, const BackupName& name, const BackupName& to) = 0;
  virtual Result<void> remove(const Uuid& instance, const BackupName& name) = 0;
  /// All of an instance; none is success.
  virtual Result<void> remove_all(const Uuid& instance) = 0;
  /// Instances that have backups.
  virtual Result<std::vector<Uuid>> instances() = 0;
};

}  // namespace berth::ports
