#pragma once

#include <cstdint>

#include "daemon/domain/principal.hpp"
#include "daemon/domain/project.hpp"

namespace berth {

/// Whether a row exists as far as `who` is concerned. Rows of a user's own project are there for root, for the user who
/// owns the row and for the one who owns the project; every other row is there for everybody (polkit judges the verb).
inline bool visible_to(const Principal& who, const ProjectName& project, std::uint32_t row_owner,
                       std::uint32_t project_owner) {
  const bool root = who.kind == PrincipalKind::Local && who.uid == 0;  // a certificate is nobody's user here
  if (root || !is_user_project(project)) return true;
  return who.kind == PrincipalKind::Local && (who.uid == row_owner || who.uid == project_owner);
}

}  // namespace berth
