#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/names.hpp"
#include "base/result.hpp"
#include "daemon/domain/document.hpp"
#include "daemon/domain/principal.hpp"
#include "daemon/domain/project.hpp"
#include "daemon/domain/reference.hpp"
#include "daemon/services/context.hpp"

namespace berth::services {

struct ProjectChanges {
  std::optional<ConfigMap> config;
  std::optional<std::string> description;
  bool replace = false;  ///< config is the whole new map, else merged by key
  std::optional<std::uint64_t> if_revision;
};

/// Projects. `default` always exists and can be neither renamed nor deleted. Blocking; workers only.
class Projects {
 public:
  explicit Projects(Context& context) : context_(context) {}
  Result<std::vector<Project>> list(const Principal& who);
  /// With `used_by`: instances, profiles and images that `who` may see.
  Result<std::vector<Document>> describe(const Principal& who, const std::optional<std::vector<ProjectName>>& names);
  /// What of each limit is used.
  Result<Document> state(const Principal& who, const ProjectName& name);
  /// Features that are left out are its own; with profiles of its own it gets an empty `default` one.
  Result<void> create(const Principal& who, const ProjectName& name, ConfigMap config, std::string description);
  /// A rule that what is there already breaks is refused.
  Result<void> update(const Principal& who, const ProjectName& name, ProjectChanges changes);
  /// As LXD does, everything but the name `default` is checked in the operation.
  Result<OperationId> rename(const Principal& who, const ProjectName& name, const std::string& to);
  Result<void> remove(const Principal& who, const ProjectName& name);

 private:
  Result<std::vector<Reference>> used_by(const Principal& who, const Project& project);
  std::optional<Profile> first_profile(const Project& project, std::uint32_t owner);

  Context& context_;
};

}  // namespace berth::services
