#pragma once

#include "base/names.hpp"
#include "daemon/domain/document.hpp"
#include "daemon/domain/types.hpp"

namespace berth {

struct BackupRule : EntityNameRule {};
using BackupName = Name<BackupRule>;

/// One stored backup of an instance.
struct Backup {
  BackupName name;
  Timestamp created_at{};
  Timestamp expires_at{};      ///< kNever: it is kept until somebody deletes it
  bool instance_only = false;  ///< without snapshots
};

/// The backup as the API has it.
inline Document backup_document(const Backup& backup) {
  return Document{{"name", backup.name.str()},
                  {"created_at", to_microseconds(backup.created_at)},
                  {"expires_at", to_microseconds(backup.expires_at)},
                  {"instance_only", backup.instance_only},
                  {"container_only", backup.instance_only},
                  {"optimized_storage", false}};
}

}  // namespace berth
