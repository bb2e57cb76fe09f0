#include "daemon/services/profiles.hpp"

#include "base/log.hpp"
#include "daemon/domain/config_keys.hpp"
#include "daemon/domain/device_keys.hpp"
#include "daemon/domain/policy.hpp"
#include "daemon/domain/profile_document.hpp"
#include "daemon/services/instance_config.hpp"
#include "daemon/services/instance_support.hpp"
#include "daemon/services/lifecycle_events.hpp"
#include "daemon/services/live_limits.hpp"
#include "daemon/services/project_rules.hpp"

#include <algorithm>
#include <set>

namespace berth::services {
namespace {

LifecycleSubject subject_of(const ProjectName& project, const std::string& name, std::uint32_t owner) {
  return {"profile", project, name, owner};
}

/// Under the project that owns it: whoever shares it means the same one.
Result<EntityLocks::Guard> lock_profile(Context& context, const Principal& who, const ProjectName& project,
                                        const ProfileName& name, const std::string& verb) {
  BERTH_TRY(const auto seen, context.store.profile(who, project, name));
  BERTH_CHECK(check_owns(context, who, project, ProjectFeature::Profiles));
  BERTH_TRY(const auto users, context.store.instances_with_profile(project, name));
  for (const auto& user : users)
    if (!who.may_enter(user.project))
      return Error{Code::AccessDenied, "Profile " + name.str() + " is used in a project which your certificate is not trusted with"};
  return context.locks.lock(profile_entity(seen.project, name), "Profile " + name.str(), verb,
                            EntityLocks::Purpose::User);
}

Result<void> check_own(const Profile& profile) {
  BERTH_CHECK(validate_config(profile.config, ConfigOwner::Profile));
  BERTH_CHECK(validate_devices(profile.devices));
  BERTH_CHECK(validate_config_together(profile.config));
  if (has_control_characters(profile.description))
    return Error{Code::InvalidArgument, "The description may not have control characters"};
  return {};
}

Profile changed_profile(const Profile& current, const ProfileChanges& changes) {
  Profile wanted = current;
  if (changes.config) {
    if (changes.replace) wanted.config.clear();
    for (const auto& [key, value] : *changes.config) {
      if (value.empty()) {
        wanted.config.erase(key);
      } else {
        wanted.config[key] = value;
      }
    }
  }
  if (changes.devices) {
    if (changes.replace) wanted.devices.clear();
    for (const auto& [name, device] : *changes.devices) wanted.devices.insert_or_assign(name, device);
  }
  if (changes.description) wanted.description = *changes.description;
  return wanted;
}

std::vector<Reference> references(const std::vector<Instance>& users) {
  std::vector<Reference> all;
  for (const auto& user : users) all.push_back({"instances", user.project, user.name.str()});
  return all;
}

}  // namespace

/// An instance that a changed profile changes too.
struct Profiles::User {
  Instance instance;
  Expanded before, after;
};

Result<std::vector<Profile>> Profiles::list(const Principal& who, const ProjectName& project) {
  return context_.store.profiles(who, project);
}

Result<std::vector<Document>> Profiles::describe(const Principal& who, const ProjectName& project,
                                                 const std::optional<std::vector<ProfileName>>& names) {
  BERTH_CHECK(context_.store.project(who, project));
  BERTH_TRY(auto profiles, context_.store.profiles(who, project));
  if (names) {
    std::vector<Profile> picked;
    for (const auto& name : *names) {
      const auto found =
          std::find_if(profiles.begin(), profiles.end(), [&name](const Profile& row) { return row.name == name; });
      if (found == profiles.end()) return Error{Code::NotFound, "Profile \"" + name.str() + "\" not found"};
      picked.push_back(*found);
    }
    profiles = std::move(picked);
  }
  std::vector<Document> rows;
  for (const auto& profile : profiles) {
    BERTH_TRY(auto users, context_.store.instances_with_profile(project, profile.name));
    std::erase_if(users, [&](const Instance& user) { return !context_.store.instance(who, user.project, user.name); });
    // Users of one project after those of another.
    std::stable_sort(users.begin(), users.end(), [](const Instance& a, const Instance& b) { return a.project < b.project; });
    rows.push_back(profile_document(profile, references(users)));
  }
  return rows;
}

Result<void> Profiles::create(const Principal& who, Profile profile) {
  BERTH_TRY(const auto project, context_.store.project(who, profile.project));
  BERTH_CHECK(check_owns(context_, who, profile.project, ProjectFeature::Profiles));
  profile.project = effective_project(project, ProjectFeature::Profiles);
  BERTH_CHECK(check_own(profile));
  BERTH_CHECK(
      check_host_access(context_, who, profile.name.str(), Expanded{}, Expanded{profile.config, profile.devices}));
  profile.uuid = new_uuid();
  profile.owner_uid = who.uid;
  profile.revision = 1;
  profile.created_at = context_.clock.now();
  BERTH_TRY(const auto admitted, admit_profile(context_, profile, {profile.project}));
  BERTH_CHECK(context_.store.insert_profile(profile));
  publish_lifecycle(context_, who, subject_of(profile.project, profile.name.str(), who.uid), "profile-created");
  return {};
}

Result<std::vector<EntityLocks::Guard>> Profiles::lock_users(const std::vector<Instance>& users) {
  std::vector<EntityLocks::Guard> locks;
  for (const auto& user : users) {
    BERTH_TRY(auto lock, lock_instance(context_, user, "update"));
    locks.push_back(std::move(lock));
  }
  return locks;
}

Result<std::vector<Profiles::User>> Profiles::changed_users(const std::vector<Instance>& instances,
                                                            const Profile& wanted) {
  std::vector<User> users;
  for (const auto& seen : instances) {
    BERTH_TRY(const auto instance, context_.store.instance_by_uuid(seen.uuid));
    BERTH_TRY(auto known, context_.store.profiles(daemon_principal(), instance.project));
    BERTH_TRY(auto before, expand(instance, known));
    std::replace_if(
        known.begin(), known.end(), [&wanted](const Profile& row) { return row.name == wanted.name; }, wanted);
    BERTH_TRY(auto after, expand(instance, known));
    if (const auto fits = check_final(instance, after); !fits)
      return Error(fits.error()).within("Instance " + instance.name.str() + " uses this profile");
    users.push_back({instance, std::move(before), std::move(after)});
  }
  return users;
}

Result<void> Profiles::update(const Principal& who, const ProjectName& project, const ProfileName& name,
                              ProfileChanges changes) {
  BERTH_TRY(const auto lock, lock_profile(context_, who, project, name, "update"));
  BERTH_TRY(const auto current, context_.store.profile(who, project, name));
  if (changes.if_revision && *changes.if_revision != current.revision)
    return Error{Code::RevisionMismatch, "Profile \"" + name.str() + "\" has changed: it has revision " +
                                             std::to_string(current.revision) + ", not " +
                                             std::to_string(*changes.if_revision)};
  const auto wanted = changed_profile(current, changes);
  BERTH_CHECK(check_own(wanted));
  BERTH_TRY(const auto instances, context_.store.instances_with_profile(project, name));
  BERTH_TRY(const auto locks, lock_users(instances));
  BERTH_TRY(const auto users, changed_users(instances, wanted));

  auto reasons = new_host_access(Expanded{current.config, current.devices}, Expanded{wanted.config, wanted.devices});
  for (const auto& user : users)
    for (const auto& reason : new_host_access(user.before, user.after))
      if (std::find(reasons.begin(), reasons.end(), reason) == reasons.end()) reasons.push_back(reason);
  BERTH_CHECK(check_host_access(context_, who, name.str(), reasons));

  std::vector<ProjectName> projects{current.project};
  for (const auto& user : users) projects.push_back(user.instance.project);
  BERTH_TRY(const auto admitted, admit_profile(context_, wanted, std::move(projects)));
  BERTH_CHECK(context_.store.update_profile(wanted, current.revision));
  if (auto applied = apply(users); !applied) {
    if (const auto reverted = context_.store.update_profile(current, std::nullopt); !reverted)
      log::error("A change of profile " + name.str() + " could not be taken back: " + reverted.error().message);
    return applied;
  }
  publish_lifecycle(context_, who, subject_of(current.project, name.str(), current.owner_uid), "profile-updated");
  return {};
}

/// Makes the change true for every user, or for none.
Result<void> Profiles::apply(const std::vector<User>& users) {
  Result<void> outcome;
  std::size_t done = 0;
  for (; done < users.size() && outcome; ++done)
    outcome = apply_to(users[done].instance, users[done].before, users[done].after);
  if (outcome) return outcome;
  for (std::size_t i = 0; i < done; ++i) {
    const auto& user = users[i];
    if (const auto reverted = apply_to(user.instance, user.after, user.before); !reverted)
      log::error("A change of a profile could not be taken back: " + reverted.error().message,
                 {{"BERTH_INSTANCE", user.instance.name.str()}});
  }
  return Error(outcome.error()).within("No instance was changed");
}

Result<void> Profiles::apply_to(const Instance& instance, const Expanded& from, const Expanded& to) {
  if (!same_idmap(from.config, to.config)) {
    BERTH_TRY(const auto lock, lock_idmaps(context_));
    BERTH_TRY(const auto keys, idmap_keys(context_, instance.uuid, to.config));
    BERTH_CHECK(context_.store.set_instance_volatile(instance.uuid, keys));
    refresh_manifest(context_, instance.uuid);
  }
  return apply_live(context_, instance.uuid, from.config, to.config);
}

Result<void> Profiles::rename(const Principal& who, const ProjectName& project, const ProfileName& name,
                              const ProfileName& to) {
  if (name.str() == "default") return Error{Code::AccessDenied, "The \"default\" profile cannot be renamed"};
  BERTH_TRY(const auto lock, lock_profile(context_, who, project, name, "rename"));
  BERTH_TRY(const auto current, context_.store.profile(who, project, name));
  if (context_.store.profile(daemon_principal(), project, to))
    return Error{Code::AlreadyExists, "Name \"" + to.str() + "\" already in use"};
  BERTH_CHECK(context_.store.rename_profile(project, name, to));
  if (const auto users = context_.store.instances_with_profile(project, to))
    for (const auto& user : *users) refresh_manifest(context_, user.uuid);
  publish_lifecycle(context_, who, subject_of(current.project, to.str(), current.owner_uid), "profile-renamed",
                    Document{{"old_name", name.str()}});
  return {};
}

Result<void> Profiles::remove(const Principal& who, const ProjectName& project, const ProfileName& name) {
  if (name.str() == "default") return Error{Code::AccessDenied, "The \"default\" profile cannot be deleted"};
  BERTH_TRY(const auto lock, lock_profile(context_, who, project, name, "delete"));
  BERTH_TRY(const auto current, context_.store.profile(who, project, name));
  BERTH_CHECK(context_.store.delete_profile(project, name));
  publish_lifecycle(context_, who, subject_of(current.project, name.str(), current.owner_uid), "profile-deleted");
  return {};
}

}  // namespace berth::services
