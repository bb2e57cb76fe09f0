#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/names.hpp"
#include "base/result.hpp"
#include "daemon/domain/expand.hpp"
#include "daemon/domain/idmap.hpp"
#include "daemon/domain/instance.hpp"
#include "daemon/domain/profile.hpp"
#include "daemon/domain/snapshot.hpp"

namespace berth {

/// Everything that a backup says about its instance. The layout is LXD 5.0.2's (index.yaml, and backup.yaml in the
/// container's folder), so that either server restores the other's.
struct BackupSubject {
  Instance instance;
  Expanded expanded;
  std::vector<std::pair<Snapshot, Expanded>> snapshots;  ///< the oldest first
  std::vector<Profile> profiles;                         ///< those the instance has
};

/// The text of backup/index.yaml and of backup/container/backup.yaml. JSON, which is YAML. Root file systems are unshifted,
/// and so it is said there.
std::string backup_index(const BackupSubject& subject);
std::string backup_config(const BackupSubject& subject);

/// What a backup says of one tree: how to make its row, and by which map its files are shifted.
struct BackupTree {
  std::string architecture;
  Timestamp created_at{};
  bool ephemeral = false;
  std::vector<ProfileName> profiles;
  ConfigMap config;
  DeviceMap devices;
  IdMap shift;  ///< empty: its ids are those the guest sees
};

struct BackupDescription {
  std::string name;  ///< as it was called; unchecked
  std::string pool;
  bool optimized = false;  ///< in the form of one storage driver, which no other reads
  std::string type;
  std::string description;
  Timestamp last_used_at{};
  BackupTree instance;
  struct Of {
    SnapshotName name;
    Timestamp expires_at{};
    BackupTree tree;
  };
  std::vector<Of> snapshots;
};

/// Reads what the helper made of a backup's documents: `{"index": ..., "config": ...}`. Every name is parsed and every
/// type checked; values of configuration and devices are for the caller to validate.
/// Errors: InvalidArgument naming the field.
Result<BackupDescription> parse_backup(std::string_view json);

}  // namespace berth
