#include "daemon/domain/project.hpp"

#include "daemon/domain/value_types.hpp"

namespace berth {

ProjectName effective_project(const Project& project, ProjectFeature feature) {
  const auto key = project.config.find(feature == ProjectFeature::Images ? "features.images" : "features.profiles");
  // Unset means a project of its own, as LXD makes them.
  const bool own = key == project.config.end() || key->second.empty() || is_true(key->second);
  return own ? project.name : default_project();
}

bool is_user_project(const ProjectName& project) { return project.str().starts_with("user-"); }

}  // namespace berth
