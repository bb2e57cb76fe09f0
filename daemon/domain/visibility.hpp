#pragma once

#include <cstdint>

#include "daemon/domain/principal.hpp"
#include "daemon/domain/project.hpp"

namespace berth {

/// Whether a row of `owner` (a project) exists as far as `who` is concerned, who asks for it in `asked`: the same project, or one
/// that shares what `owner` has. A restricted certificate sees what its projects have, their own and what is shared with them.
/// Rows of a user's own project are there for whoever is root or root's equal, for the user who owns the row and for the one who owns the
/// project; every other row is there for everybody (polkit judges the verb).
inline bool visible_to(const Principal& who, const ProjectName& asked, const ProjectName& owner, std::uint32_t row_owner,
                       std::uint32_t project_owner) {
  if (who.kind == PrincipalKind::Restricted) return who.may_enter(asked);
  if (who.is_root() || !is_user_project(owner)) return true;
  return who.kind == PrincipalKind::Local && (who.uid == row_owner || who.uid == project_owner);
}

/// The same for what no project shares.
inline bool visible_to(const Principal& who, const ProjectName& project, std::uint32_t row_owner,
                       std::uint32_t project_owner) {
  return visible_to(who, project, project, row_owner, project_owner);
}

}  // namespace berth
