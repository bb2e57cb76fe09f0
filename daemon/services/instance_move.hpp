#pragma once

#include "base/names.hpp"
#include "base/result.hpp"
#include "daemon/domain/principal.hpp"
#include "daemon/services/context.hpp"

namespace berth::services {

/// Moves instances from one project to another: the row changes, with all that follows it (snapshots, backups, logs), and
/// nothing on the disk does. Blocking; workers only.
class InstanceMove {
 public:
  explicit InstanceMove(Context& context) : context_(context) {}

  struct Target {
    ProjectName project;
    InstanceName name;
  };
  /// The instance must be stopped (FailedPrecondition), and stays in its storage pool. Its profiles are those of the same names
  /// in the new project (NotFound), whose policy it has to pass. AlreadyExists; NotFound for a project that `who` may not see;
  /// InvalidArgument for the one that it is in.
  Result<OperationId> move(const Principal& who, const ProjectName& project, const InstanceName& name, const Target& to);

 private:
  Context& context_;
};

}  // namespace berth::services
