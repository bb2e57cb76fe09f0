#pragma once

#include <memory>
#include <string>

#include "daemon/ports/backup_store.hpp"

namespace berth::adapters {

/// The backup store on a file system. Its folder holds, all of it root's with mode 0700:
///
///     <instance uuid>/<backup uuid>/backup      the archive
///     <instance uuid>/<backup uuid>/meta.json   what is known of it
///     staging/<uuid>/                           the same, being made
///
/// Holds no state besides the folder.
class FileBackupStore final : public ports::BackupStore {
 public:
  /// Makes the folder if it is not there, and drops what a crash left in staging/. Errors: Internal.
  static Result<std::unique_ptr<FileBackupStore>> open(const std::string& folder);

  Result<UniqueFd> begin() override;
  Result<ports::ScratchFolder> make_scratch() override;
  Result<void> commit(const Uuid& instance, const Backup& backup, UniqueFd file) override;
  Result<std::vector<Backup>> list(const Uuid& instance) override;
  Result<UniqueFd> open(const Uuid& instance, const BackupName& name) override;
  Result<void> rename(const Uuid& instance, const BackupName& name, const BackupName& to) override;
  Result<void> remove(const Uuid& instance, const BackupName& name) override;
  Result<void> remove_all(const Uuid& instance) override;
  Result<std::vector<Uuid>> instances() override;

 private:
  struct Kept;
  FileBackupStore(UniqueFd folder, UniqueFd staging) : folder_(std::move(folder)), staging_(std::move(staging)) {}
  Result<std::vector<Kept>> kept(const Uuid& instance);
  Result<Kept> find(const Uuid& instance, const BackupName& name);

  UniqueFd folder_, staging_;
};

}  // namespace berth::adapters
