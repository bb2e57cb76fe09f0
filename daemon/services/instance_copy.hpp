#pragma once

#include "base/result.hpp"
#include "daemon/domain/principal.hpp"
#include "daemon/services/context.hpp"
#include "daemon/services/entity_locks.hpp"
#include "daemon/services/instance_create.hpp"

namespace berth::services {

/// Makes containers from containers and from their snapshots. A copy costs what its original changed of its image.
class InstanceCopy {
 public:
  explicit InstanceCopy(Context& context) : context_(context) {}
  /// The copy's configuration is what the request says, then what the original has; nothing of what the server recorded
  /// of the original but the image its root comes from. `name_lock` holds the copy's name. Snapshots come along unless
  /// the request says otherwise. A running original stands still meanwhile.
  Result<OperationId> create(const Principal& who, CreateInstanceRequest request, EntityLocks::Guard name_lock);
  /// Brings a stopped copy up to date: its root becomes the original's, its snapshots those of the original. Its own
  /// configuration stays.
  Result<OperationId> refresh(const Principal& who, const CreateInstanceRequest& request);

 private:
  struct Source;
  struct Draft;
  Result<Source> source(const Principal& who, const CreateInstanceRequest& request);
  Result<Draft> draft(const Principal& who, const CreateInstanceRequest& request, const Source& source);
  Result<void> make(const Draft& draft);
  Result<void> bring_up_to_date(const Instance& target, const Instance& from, bool with_snapshots);

  Context& context_;
};

}  // namespace berth::services
