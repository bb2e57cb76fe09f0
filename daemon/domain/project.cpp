#include "daemon/domain/project.hpp"

#include "daemon/domain/value_types.hpp"

namespace berth {
namespace {

const char* key_of(ProjectFeature feature) {
  switch (feature) {
    case ProjectFeature::Images: return "features.images";
    case ProjectFeature::Profiles: return "features.profiles";
    case ProjectFeature::StorageVolumes: return "features.storage.volumes";
  }
  return "";
}

}  // namespace

ProjectName effective_project(const Project& project, ProjectFeature feature) {
  // Creation sets what a client leaves out; a feature that was unset later is shared, as in LXD.
  const auto key = project.config.find(key_of(feature));
  const bool own = key != project.config.end() && is_true(key->second);
  return own ? project.name : default_project();
}

bool is_user_project(const ProjectName& project) { return project.str().starts_with("user-"); }

}  // namespace berth
