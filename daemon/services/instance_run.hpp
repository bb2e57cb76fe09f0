#pragma once

#include "base/result.hpp"
#include "daemon/domain/instance.hpp"
#include "daemon/domain/principal.hpp"
#include "daemon/services/context.hpp"

#include <string>

namespace berth::services {

/// The turns in a container's life, for whoever holds its lock. Blocking; workers only.
class InstanceRun {
 public:
  explicit InstanceRun(Context& context) : context_(context) {}

  /// Starts it and records that it runs; no event. The lock's verb is `start` or `restart`, which the plan joins.
  Result<void> start(const Instance& instance);
  /// Records a start that was made: last use, power, id map in use.
  void started(const Instance& instance);
  /// Records a full stop: power, lifecycle event `action`; an ephemeral instance is deleted. NotFound and the like are
  /// logged.
  void stopped(const Principal& who, const Instance& instance, const std::string& action);
  /// Records power alone, where the instance goes on (restart).
  void record_stopped(const Instance& instance);
  /// Deletes a stopped instance: root, snapshots, row, manifest, logs, and its image's files if they were kept for it alone.
  Result<void> remove(const Principal& who, const Instance& instance);
  /// Finishes a deletion whose root may be gone already.
  Result<void> finish_removal(const Instance& instance);

 private:
  Context& context_;
};

/// Deletes the files of an image that no project knows any more, unless a container's layer needs them. The caller
/// holds the image's lock.
Result<void> drop_unknown_image(Context& context, const Fingerprint& fingerprint);

/// Deletes the files of `volatile.base_image` if they were kept for one layer alone, which is gone now.
void drop_base_image(Context& context, const ConfigMap& config);

/// Empties the trash of pools and images in the background.
void empty_trash_later(Context& context);

}  // namespace berth::services
