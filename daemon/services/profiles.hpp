#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/names.hpp"
#include "base/result.hpp"
#include "daemon/domain/document.hpp"
#include "daemon/domain/expand.hpp"
#include "daemon/domain/principal.hpp"
#include "daemon/domain/profile.hpp"
#include "daemon/services/context.hpp"

namespace berth::services {

struct ProfileChanges {
  std::optional<ConfigMap> config;
  std::optional<DeviceMap> devices;
  std::optional<std::string> description;
  bool replace = false;
  std::optional<std::uint64_t> if_revision;
};

/// Profiles. `default` exists in every project and can be neither renamed nor deleted. Blocking; workers only.
class Profiles {
 public:
  explicit Profiles(Context& context) : context_(context) {}
  Result<std::vector<Profile>> list(const Principal& who, const ProjectName& project);
  Result<std::vector<Document>> describe(const Principal& who, const ProjectName& project, const std::optional<std::vector<ProfileName>>& names);
  Result<void> create(const Principal& who, Profile profile);
  /// For every instance that uses it, or for none: a user that is busy or would not fit refuses the change.
  Result<void> update(const Principal& who, const ProjectName& project, const ProfileName& name, ProfileChanges changes);
  Result<void> rename(const Principal& who, const ProjectName& project, const ProfileName& name, const ProfileName& to);
  Result<void> remove(const Principal& who, const ProjectName& project, const ProfileName& name);

 private:
  struct User;

  /// All of them, or none.
  Result<std::vector<EntityLocks::Guard>> lock_users(const std::vector<Instance>& users);
  Result<std::vector<User>> changed_users(const std::vector<Instance>& instances, const Profile& wanted);
  Result<void> apply(const std::vector<User>& users);
  Result<void> apply_to(const Instance& instance, const Expanded& from, const Expanded& to);

  Context& context_;
};

}  // namespace berth::services
