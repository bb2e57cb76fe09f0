#pragma once

#include "base/names.hpp"
#include "base/result.hpp"
#include "daemon/domain/instance.hpp"
#include "daemon/domain/principal.hpp"
#include "daemon/domain/snapshot.hpp"
#include "daemon/services/context.hpp"

#include <utility>

namespace berth::services {

/// Holds a running container still while its tree is copied; one that stood still before, or does not run, is left
/// alone. The caller holds the instance's lock. An intent says so, so that a daemon that ends meanwhile leaves no container
/// still for good.
class Stillness {
 public:
  static Result<Stillness> of(Context& context, const Instance& instance);
  Stillness(Stillness&& other) noexcept
      : context_(std::exchange(other.context_, nullptr)), instance_(other.instance_), intent_(other.intent_) {}
  Stillness& operator=(Stillness&&) = delete;
  ~Stillness();

 private:
  Stillness(Context* context, Uuid instance, Uuid intent)
      : context_(context), instance_(std::move(instance)), intent_(std::move(intent)) {}
  Context* context_;  ///< null when there is nothing to thaw
  Uuid instance_, intent_;
};

/// Snapshots, for whoever holds their instance's lock. Blocking; workers only. Each step begins with an intent, so that
/// a daemon that ends in the middle leaves nothing half.
class SnapshotSteps {
 public:
  explicit SnapshotSteps(Context& context) : context_(context) {}

  /// The snapshot by its name. NotFound in LXD's words.
  Result<Snapshot> find(const Instance& instance, const SnapshotName& name);
  /// The name `snapshots.pattern` gives to the next one.
  Result<SnapshotName> next_name(const Instance& instance);
  /// When a snapshot that is taken now ends by `snapshots.expiry`.
  Result<Timestamp> default_expiry(const Instance& instance);

  /// Copies what was changed, and the configuration.
  Result<Snapshot> take(const Instance& instance, const SnapshotName& name, Timestamp expires_at);
  /// Makes `snapshot` of the instance from a tree that stands still.
  Result<void> add(const Instance& instance, const Snapshot& snapshot, const ports::TreeId& from);
  Result<void> remove(const Instance& instance, const Snapshot& snapshot);
  /// Root and configuration of a stopped instance go back to the snapshot's. `wanted` is restored().
  Result<void> restore(const Instance& instance, const Snapshot& snapshot);

 private:
  Context& context_;
};

/// The row an instance has after a restore: the snapshot's configuration; what the server records of the instance of
/// today (its uuid, its id map, its power) stays. Profiles that are gone since are left out.
Result<Instance> restored(Context& context, const Instance& instance, const Snapshot& snapshot);

/// `web/snap0`: how a snapshot is called in events and texts.
std::string shown_snapshot(const Instance& instance, const SnapshotName& name);

/// Publishes an event about a snapshot.
void publish_snapshot(Context& context, const Principal& who, const Instance& instance, const SnapshotName& name,
                      const std::string& action, Document details = {});

}  // namespace berth::services
