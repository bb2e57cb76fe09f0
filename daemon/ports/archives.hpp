#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "daemon/domain/compression.hpp"
#include "daemon/domain/idmap.hpp"
#include "daemon/domain/start_plan.hpp"
#include "daemon/ports/image_store.hpp"

namespace berth::ports {

/// A small file of an archive: `at` is its path there.
struct PackedFile {
  std::string at;
  std::string text;
};

/// A tree of an archive: what the guest would see as its root, below `at`.
struct PackedTree {
  std::string at;
  RootSpec root;
};

struct PackRequest {
  Compression compression;
  std::vector<PackedFile> files;  ///< they come first, in this order
  std::vector<PackedTree> trees;
};

/// An archive that is being written.
struct Packing {
  /// Waits for the end and gives the number of bytes written. Call it once, on a worker; to drop it before ends the work.
  /// `progress` hears of bytes written. Errors: Cancelled, Unavailable (nobody reads; the disk is full), Internal.
  std::function<Result<std::uint64_t>(const std::function<void(std::uint64_t)>& progress,
                                      const std::function<bool()>& cancelled)>
      wait;
};

/// Where the trees of a backup go: folders that are open for reading, empty, and the caller's.
struct BackupPlaces {
  int root = -1;
  IdMap shift;  ///< by which the archive's ids are to be shifted back; empty: they are the guest's
  int templates = -1;
  struct SnapshotPlace {
    std::string name;  ///< as the archive has it
    int root = -1;
    IdMap shift = {};
  };
  std::vector<SnapshotPlace> snapshots;
};

struct UnpackedBackup {
  std::optional<ImageMetadata> metadata;  ///< nothing for an instance that was made from nothing
};

/// Archives of guests' trees: written, and backups read, by a helper that has no rights over the host and reaches nothing
/// but the trees (rules 2 and 3). Ids are those the guest sees; an overlay is written as the one tree it shows. Blocking:
/// workers only; any thread. The caller holds what keeps the trees still.
class Archives {
 public:
  virtual ~Archives() = default;

  /// Begins to write a tar into `target`: a pipe, a socket or a file, which stays the caller's and may be closed once
  /// this returns.
  virtual Result<Packing> pack(const PackRequest& request, int target) = 0;

  /// What a backup says of itself, as JSON: `{"index": ..., "config": ...}`, the documents of its index.yaml and of its
  /// backup.yaml, bounded but otherwise unchecked. Reads the file from its start.
  /// Errors: InvalidArgument (no backup, bad YAML), LimitsExceeded.
  virtual Result<std::string> read_backup(int file) = 0;
  /// Unpacks a backup that read_backup() knows. Reads the file from its start. Snapshots that are not named are passed
  /// over; one that is named and absent is an error. Errors: InvalidArgument with the member's name, LimitsExceeded (a
  /// bomb), Unavailable (disk full), Cancelled.
  virtual Result<UnpackedBackup> unpack_backup(int file, const BackupPlaces& places,
                                               const std::function<void(std::uint64_t)>& progress,
                                               const std::function<bool()>& cancelled) = 0;
};

}  // namespace berth::ports
