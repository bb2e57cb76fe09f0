#pragma once

#include <string>

#include "base/names.hpp"
#include "base/result.hpp"
#include "daemon/domain/principal.hpp"
#include "daemon/services/context.hpp"
#include "daemon/services/instance_lifecycle.hpp"

namespace berth::services {

/// One change of state for all instances of a project.
class InstanceBulk {
 public:
  explicit InstanceBulk(Context& context) : context_(context) {}

  /// `action`: start, stop, restart, freeze or unfreeze. The operation names the instances whose state it fits; it begins an
  /// operation for each, all at once, and ends with the last of them: as a failure that names those that failed, if any did.
  /// `request` is for stop and restart. Blocking; workers only. Errors: InvalidArgument for another action, NotFound.
  Result<OperationId> change(const Principal& who, const ProjectName& project, const std::string& action, StopRequest request);

 private:
  Context& context_;
};

}  // namespace berth::services
