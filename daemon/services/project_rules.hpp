#pragma once

#include <vector>

#include "base/result.hpp"
#include "daemon/domain/expand.hpp"
#include "daemon/domain/instance.hpp"
#include "daemon/domain/profile.hpp"
#include "daemon/domain/project.hpp"
#include "daemon/domain/project_policy.hpp"
#include "daemon/services/context.hpp"

/// How services put what they are about to commit before the policy of its project (domain/project_policy.hpp). Blocking;
/// workers only.
namespace berth::services {

/// All that the project holds; `changed`, when given, stands in the place of the profile of its name.
Result<ProjectContents> contents_of(Context& context, const Project& project, const Profile* changed = nullptr);

/// Judges the project of `wanted` as it would be with it, or with it in the place of the row of the same uuid. `all` is the
/// expanded form that is then committed. Errors: NotFound (the project), or judge_project()'s.
Result<void> judge_instance(Context& context, const Instance& wanted, const Expanded& all);

/// The same at the moment of the commit: the guard is held until the rows are stored, so that nobody changes the project's rules,
/// or fills its last place, in between. Waits for others. Errors also: Busy.
Result<EntityLocks::Guard> admit_instance(Context& context, const Instance& wanted, const Expanded& all);

/// Judges, for the time the guards are held, every project of `projects` with `wanted` as its profile of that name.
Result<std::vector<EntityLocks::Guard>> admit_profile(Context& context, const Profile& wanted,
                                                      std::vector<ProjectName> projects);

/// Whether `who` may change what the project has of that kind: a restricted client not, where it is another project's and shared.
/// Errors: NotFound (the project), AccessDenied.
Result<void> check_owns(Context& context, const Principal& who, const ProjectName& project, ProjectFeature feature);

/// The project for its change: waits for those who commit something in it. Errors: Busy.
Result<EntityLocks::Guard> lock_project(Context& context, const ProjectName& name, const std::string& verb);

}  // namespace berth::services
