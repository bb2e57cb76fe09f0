#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/names.hpp"
#include "base/result.hpp"
#include "daemon/domain/document.hpp"
#include "daemon/domain/expand.hpp"
#include "daemon/domain/types.hpp"

namespace berth {

/// What an instance was at one moment: its configuration as a row, its root as a tree of the pool. Both are named by
/// the snapshot's uuid, so a rename moves nothing.
struct Snapshot {
  Uuid uuid;
  Uuid instance;
  SnapshotName name;
  std::uint64_t revision = 1;
  Timestamp created_at{};
  Timestamp expires_at{};  ///< kNever: it is kept until somebody deletes it
  std::string architecture;
  bool ephemeral = false;
  /// Names, not references: a profile may go while a snapshot remembers it.
  std::vector<ProfileName> profiles;
  ConfigMap config;  ///< local keys, `volatile.*` included, as they were
  DeviceMap devices;
};

/// A snapshot from outside, with what the profiles of today make of it. `size` is -1: not measured.
Document snapshot_document(const Snapshot& snapshot, const Expanded& expanded);

/// When a snapshot of `created` ends by an expiry as `1w 2d` (M minutes, H hours, d days, w weeks, m months, y years);
/// kNever for an empty one. Months and years are those of the calendar. Errors: InvalidArgument.
Result<Timestamp> snapshot_expiry(Timestamp created, std::string_view expiry);

/// The name for a snapshot that was given none. `pattern` is that of `snapshots.pattern`: text with `{{ creation_date }}`
/// or `{{ creation_date|date:'2006-01-02_15-04' }}` (the layout as Go writes it), and one `%d` at most, which becomes
/// the number after the highest one in `taken`; a name without number that is taken gets `-0`, `-1`... Empty: `snap%d`.
/// Times are local. Errors: InvalidArgument when the pattern or what comes of it is no name.
Result<SnapshotName> next_snapshot_name(std::string_view pattern, const std::vector<SnapshotName>& taken,
                                        Timestamp now);

}  // namespace berth
