#pragma once

#include <optional>

#include "base/names.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "daemon/domain/backup_document.hpp"
#include "daemon/domain/principal.hpp"
#include "daemon/services/context.hpp"

namespace berth::services {

struct ImportInstanceRequest {
  ProjectName project;
  UniqueFd backup;                   ///< read to its end; a pipe is fine
  std::optional<InstanceName> name;  ///< none: the one the backup has
  std::optional<PoolName> pool;      ///< none: the backup's if it is here, else that of the profile `default`
};

/// Instances from backups, Berth's and LXD's. Blocking; workers only.
class BackupImport {
 public:
  explicit BackupImport(Context& context) : context_(context) {}
  /// The instance is there as a whole, with its snapshots and stopped, or not at all. What its configuration reaches of the
  /// host is asked for as if it were created anew (rule 5).
  Result<OperationId> import(const Principal& who, ImportInstanceRequest request);

 private:
  struct Draft;
  Result<void> run(const Principal& who, ImportInstanceRequest& request, OperationContext& operation);
  Result<Draft> draft(const Principal& who, const ImportInstanceRequest& request, const InstanceName& name,
                      const BackupDescription& backup);
  Result<void> make(const Draft& draft, int file, OperationContext& operation);
  Result<void> unpack(const Draft& draft, int file, OperationContext& operation);

  Context& context_;
};

}  // namespace berth::services
