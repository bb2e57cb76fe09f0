#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "daemon/domain/expand.hpp"
#include "daemon/domain/project.hpp"

namespace berth {

/// An instance or a profile, as it would be committed.
struct ProjectMember {
  std::string name;
  Expanded final;
};

/// All that a project would hold after the change that is judged. `profiles` are its own ones alone.
struct ProjectContents {
  std::vector<ProjectMember> instances, profiles;
};

/// Whether anything is judged at all: a project without limits and restrictions may hold whatever it likes.
bool has_rules(const Project& project);

/// Judges what a project would hold by its limits and restrictions: the part of the policy (rule 5 of the security rules) that
/// is the project's. It is given the final objects, the very ones that are then committed.
/// Errors, in LXD's words: FailedPrecondition for a limit, AccessDenied for a restriction.
Result<void> judge_project(const Project& project, const ProjectContents& contents);

/// Errors: AccessDenied `Project "x" doesn't allow for snapshot creation`.
Result<void> judge_snapshots(const Project& project);
/// Errors: AccessDenied `Project "x" doesn't allow for backup creation`.
Result<void> judge_backups(const Project& project);

/// What of one limit is used. `limit` -1: none.
struct ProjectUsage {
  std::int64_t limit = -1;
  std::int64_t usage = 0;
};
/// By resource: `containers`, `cpu`, `disk`, `instances`, `memory`, `networks`, `processes`, `virtual-machines`. Whoever has
/// no limit of his own counts nothing.
std::map<std::string, ProjectUsage> project_usage(const Project& project, const ProjectContents& contents);

}  // namespace berth
