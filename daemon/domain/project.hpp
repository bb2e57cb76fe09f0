#pragma once

#include <cstdint>
#include <string>

#include "base/names.hpp"
#include "daemon/domain/types.hpp"

namespace berth {

/// A set of instances with, if its features say so, images, profiles and volumes of its own.
struct Project {
  Uuid uuid;
  ProjectName name;
  std::uint32_t owner_uid = 0;
  std::uint64_t revision = 1;
  Timestamp created_at{};
  std::string description;
  ConfigMap config;  ///< see project_keys.hpp
};

/// What a project may have of its own or share with `default`.
enum class ProjectFeature { Images, Profiles, StorageVolumes };

/// The project whose rows of that kind are meant when `project` is asked for: itself, or `default` when it shares them.
/// The only function that decides it.
ProjectName effective_project(const Project& project, ProjectFeature feature);

/// True for the project of one local user (`user-1000`), whose rows nobody else sees.
bool is_user_project(const ProjectName& project);

}  // namespace berth
