#pragma once

#include <chrono>
#include <optional>

#include "base/names.hpp"
#include "base/result.hpp"
#include "daemon/domain/instance.hpp"
#include "daemon/domain/principal.hpp"
#include "daemon/services/context.hpp"

namespace berth::services {

struct StopRequest {
  bool force = false;
  std::optional<std::chrono::seconds> timeout;  ///< none = for ever; 0 = force
};

/// Start, stop and their kin. Each call checks the state at once (already running, not running, frozen: FailedPrecondition in
/// LXD's words), takes the instance's lock and answers with an operation. Blocking; workers only.
class InstanceLifecycle {
 public:
  explicit InstanceLifecycle(Context& context) : context_(context) {}
  Result<OperationId> start(const Principal& who, const ProjectName& project, const InstanceName& name);
  Result<OperationId> stop(const Principal& who, const ProjectName& project, const InstanceName& name, StopRequest request);
  Result<OperationId> restart(const Principal& who, const ProjectName& project, const InstanceName& name, StopRequest request);
  Result<OperationId> freeze(const Principal& who, const ProjectName& project, const InstanceName& name);
  Result<OperationId> unfreeze(const Principal& who, const ProjectName& project, const InstanceName& name);
  /// `force` stops it first.
  Result<OperationId> remove(const Principal& who, const ProjectName& project, const InstanceName& name, bool force);
  Result<OperationId> rename(const Principal& who, const ProjectName& project, const InstanceName& name, const InstanceName& to);

 private:
  /// Kills what a clean stop waits for in vain.
  Result<OperationId> kill_in_stop(const Principal& who, const Instance& instance);

  Context& context_;
};

}  // namespace berth::services
