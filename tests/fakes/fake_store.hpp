#pragma once

#include "tests/fakes/fake_store_tables.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace berth::fakes {

/// The store in memory, for the tests of whoever stands on it. It passes the same contract suite as the SQLite one.
/// `fail_next()` makes one later call fail, for the tests of undo.
class FakeStore final : public ports::Store, private FakeStoreTables {
 public:
  /// The next call that writes, or the one after `passes` more, answers `error` and does nothing.
  void fail_next(Error error, unsigned passes = 0) {
    const std::lock_guard lock(mutex_);
    next_failure_ = std::move(error);
    passes_ = passes;
  }

  Result<void> insert_instance(const Instance& given) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(may_write());
    return add_instance(given);
  }
  Result<std::uint64_t> update_instance(const Instance& given, std::optional<std::uint64_t> expected) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(may_write());
    const auto row = instances_.find(given.uuid.str());
    if (row == instances_.end()) return missing("Instance", given.name.str());
    BERTH_CHECK(check_revision("instance", row->second.name.str(), row->second.revision, expected));
    BERTH_CHECK(check_pool(given.pool));
    BERTH_CHECK(check_profiles(row->second.project, given.profiles));
    Instance changed = given;
    changed.project = row->second.project;
    changed.name = row->second.name;
    changed.owner_uid = row->second.owner_uid;
    changed.created_at = row->second.created_at;
    changed.revision = row->second.revision + 1;
    row->second = std::move(changed);
    return row->second.revision;
  }
  Result<void> rename_instance(const Uuid& uuid, const InstanceName& to) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(may_write());
    const auto row = instances_.find(uuid.str());
    if (row == instances_.end()) return missing("Instance", uuid.str());
    return name_instance(row->second, row->second.project, to);
  }
  Result<void> move_instance(const Instance& given) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(may_write());
    return change_project_of(given);
  }
  Result<void> delete_instance(const Uuid& uuid) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(may_write());
    if (!instances_.contains(uuid.str())) return missing("Instance", uuid.str());
    drop_instance(uuid);
    return {};
  }
  Result<Instance> instance(const Principal& who, const ProjectName& project, const InstanceName& name) override {
    const std::lock_guard lock(mutex_);
    for (const auto& [uuid, row] : instances_)
      if (row.project == project && row.name == name && visible(who, row, project)) return row;
    return missing("Instance", name.str());
  }
  Result<Instance> instance_by_uuid(const Uuid& uuid) override {
    const std::lock_guard lock(mutex_);
    const auto row = instances_.find(uuid.str());
    if (row == instances_.end()) return missing("Instance", uuid.str());
    return row->second;
  }
  Result<std::vector<Instance>> instances(const Principal& who, const std::optional<ProjectName>& project) override {
    const std::lock_guard lock(mutex_);
    return sorted_instances(
        [&](const Instance& row) { return (!project || row.project == *project) && visible(who, row, row.project); });
  }
  Result<std::vector<InstanceSummary>> instance_summaries(const Principal& who,
                                                          const std::optional<ProjectName>& project) override {
    BERTH_TRY(const auto rows, instances(who, project));
    return summaries_of(rows);
  }
  Result<void> set_instance_volatile(const Uuid& uuid, const ConfigMap& keys) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(may_write());
    const auto row = instances_.find(uuid.str());
    if (row == instances_.end()) return missing("Instance", uuid.str());
    for (const auto& [key, value] : keys) {
      if (value.empty())
        row->second.config.erase(key);
      else
        row->second.config.insert_or_assign(key, value);
    }
    ++row->second.revision;
    return {};
  }
  Result<void> touch_instance(const Uuid& uuid, Timestamp last_used_at) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(may_write());
    const auto row = instances_.find(uuid.str());
    if (row == instances_.end()) return missing("Instance", uuid.str());
    row->second.last_used_at = last_used_at;
    return {};
  }

  Result<void> insert_snapshot(const Snapshot& given) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(may_write());
    return add_snapshot(given);
  }
  Result<void> insert_instance_with_snapshots(const Instance& given, const std::vector<Snapshot>& its) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(may_write());
    BERTH_CHECK(add_instance(given));
    for (const auto& snapshot : its)
      if (auto added = add_snapshot(snapshot); !added) {
        drop_instance(given.uuid);
        return added;
      }
    return {};
  }
  Result<std::uint64_t> update_snapshot(const Snapshot& given, std::optional<std::uint64_t> expected) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(may_write());
    for (auto& row : snapshots_) {
      if (row.uuid != given.uuid) continue;
      BERTH_CHECK(check_revision("snapshot", row.name.str(), row.revision, expected));
      if (snapshot_taken(given)) return exists("Snapshot", given.name.str());
      row.name = given.name;
      row.expires_at = given.expires_at;
      return ++row.revision;
    }
    return missing("Snapshot", given.name.str());
  }
  Result<void> delete_snapshot(const Uuid& uuid) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(may_write());
    if (std::erase_if(snapshots_, [&](const Snapshot& row) { return row.uuid == uuid; }) == 0)
      return missing("Snapshot", uuid.str());
    return {};
  }
  Result<std::vector<Snapshot>> snapshots(const std::optional<Uuid>& instance) override {
    const std::lock_guard lock(mutex_);
    std::vector<Snapshot> rows;
    for (const auto& row : snapshots_)
      if (!instance || row.instance == *instance) rows.push_back(row);
    return rows;
  }

  Result<void> insert_profile(const Profile& given) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(may_write());
    BERTH_CHECK(check_project(given.project));
    Profile row = given;
    row.project = owner_of(given.project, ProjectFeature::Profiles);
    const Key key{row.project.str(), row.name.str()};
    if (!profiles_.emplace(key, std::move(row)).second) return exists("Profile", given.name.str());
    return {};
  }
  Result<std::uint64_t> update_profile(const Profile& given, std::optional<std::uint64_t> expected) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(may_write());
    const auto row = find_profile(given.project, given.name);
    if (row == profiles_.end()) return missing("Profile", given.name.str());
    BERTH_CHECK(check_revision("profile", given.name.str(), row->second.revision, expected));
    row->second.description = given.description;
    row->second.config = given.config;
    row->second.devices = given.devices;
    return ++row->second.revision;
  }
  Result<void> rename_profile(const ProjectName& project, const ProfileName& from, const ProfileName& to) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(may_write());
    const auto row = find_profile(project, from);
    if (row == profiles_.end()) return missing("Profile", from.str());
    if (find_profile(project, to) != profiles_.end()) return exists("Profile", to.str());
    for (auto& [uuid, user] : instances_)
      if (uses(user, row->second)) std::replace(user.profiles.begin(), user.profiles.end(), from, to);
    rename_in_snapshots(row->second, to);
    Profile renamed = row->second;
    renamed.name = to;
    ++renamed.revision;
    profiles_.erase(row);
    profiles_.emplace(Key{renamed.project.str(), to.str()}, renamed);
    return {};
  }
  Result<void> delete_profile(const ProjectName& project, const ProfileName& name) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(may_write());
    const auto row = find_profile(project, name);
    if (row == profiles_.end()) return missing("Profile", name.str());
    for (const auto& [uuid, user] : instances_)
      if (uses(user, row->second)) return Error{Code::FailedPrecondition, "Profile is currently in use"};
    profiles_.erase(row);
    return {};
  }
  Result<Profile> profile(const Principal& who, const ProjectName& project, const ProfileName& name) override {
    const std::lock_guard lock(mutex_);
    const auto row = find_profile(project, name);
    if (row == profiles_.end() || !visible(who, row->second, project)) return missing("Profile", name.str());
    return row->second;
  }
  Result<std::vector<Profile>> profiles(const Principal& who, const ProjectName& project) override {
    const std::lock_guard lock(mutex_);
    return rows_of(profiles_, project, ProjectFeature::Profiles, &who);
  }
  Result<std::vector<Instance>> instances_with_profile(const ProjectName& project, const ProfileName& name) override {
    const std::lock_guard lock(mutex_);
    const auto row = find_profile(project, name);
    if (row == profiles_.end()) return missing("Profile", name.str());
    return sorted_instances([&](const Instance& user) { return uses(user, row->second); });
  }

  Result<void> insert_image(const Image& given, const std::vector<ImageAlias>& aliases) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(may_write());
    BERTH_CHECK(check_project(given.project));
    BERTH_CHECK(check_profiles(given.project, given.profiles));
    Image row = given;
    row.project = owner_of(given.project, ProjectFeature::Images);
    const Key key{row.project.str(), row.fingerprint.str()};
    if (images_.contains(key)) return Error{Code::AlreadyExists, "Image with same fingerprint already exists"};
    std::set<std::string> names;
    for (const auto& alias : aliases)
      if (aliases_.contains({row.project.str(), alias.name.str()}) || !names.insert(alias.name.str()).second)
        return alias_exists(alias.name);
    images_.emplace(key, std::move(row));
    for (const auto& alias : aliases) BERTH_CHECK(add_alias(alias));
    return {};
  }
  Result<std::uint64_t> update_image(const Image& given, std::optional<std::uint64_t> expected) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(may_write());
    const auto row = find_image(given.project, given.fingerprint);
    if (row == images_.end()) return missing("Image", given.fingerprint.str());
    BERTH_CHECK(check_revision("image", given.fingerprint.str(), row->second.revision, expected));
    BERTH_CHECK(check_profiles(given.project, given.profiles));
    Image changed = given;
    changed.uuid = row->second.uuid;
    changed.project = row->second.project;
    changed.owner_uid = row->second.owner_uid;
    changed.created_at = row->second.created_at;
    changed.uploaded_at = row->second.uploaded_at;
    changed.size = row->second.size;
    changed.split = row->second.split;
    changed.revision = row->second.revision + 1;
    row->second = std::move(changed);
    return row->second.revision;
  }
  Result<void> delete_image(const ProjectName& project, const Fingerprint& fingerprint) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(may_write());
    const auto row = find_image(project, fingerprint);
    if (row == images_.end()) return missing("Image", fingerprint.str());
    const auto owner = row->second.project;
    images_.erase(row);
    std::erase_if(aliases_, [&](const auto& entry) {
      return entry.second.project == owner && entry.second.target == fingerprint;
    });
    return {};
  }
  Result<Image> image(const Principal& who, const ProjectName& project, const Fingerprint& fingerprint) override {
    const std::lock_guard lock(mutex_);
    const auto row = find_image(project, fingerprint);
    if (row == images_.end() || !visible(who, row->second, project)) return missing("Image", fingerprint.str());
    return row->second;
  }
  Result<std::vector<Image>> images_by_prefix(const Principal& who, const ProjectName& project,
                                              std::string_view prefix) override {
    const std::lock_guard lock(mutex_);
    auto rows = rows_of(images_, project, ProjectFeature::Images, &who);
    std::erase_if(rows, [&](const Image& row) { return !row.fingerprint.str().starts_with(prefix); });
    return rows;
  }
  Result<std::vector<Image>> images(const Principal& who, const ProjectName& project) override {
    const std::lock_guard lock(mutex_);
    return rows_of(images_, project, ProjectFeature::Images, &who);
  }
  Result<bool> image_known(const Fingerprint& fingerprint) override {
    const std::lock_guard lock(mutex_);
    return std::any_of(images_.begin(), images_.end(),
                       [&](const auto& entry) { return entry.second.fingerprint == fingerprint; });
  }
  Result<void> touch_image(const Fingerprint& fingerprint, Timestamp last_used_at) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(may_write());
    bool found = false;
    for (auto& [key, row] : images_) {
      if (row.fingerprint != fingerprint) continue;
      row.last_used_at = last_used_at;
      found = true;
    }
    if (!found) return missing("Image", fingerprint.str());
    return {};
  }
  Result<void> insert_alias(const ImageAlias& alias) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(may_write());
    return add_alias(alias);
  }
  Result<void> update_alias(const ImageAlias& alias) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(may_write());
    if (find_image(alias.project, alias.target) == images_.end()) return missing("Image", alias.target.str());
    const auto row = aliases_.find({owner_of(alias.project, ProjectFeature::Images).str(), alias.name.str()});
    if (row == aliases_.end()) return missing("Image alias", alias.name.str());
    row->second.target = alias.target;
    row->second.description = alias.description;
    return {};
  }
  Result<void> rename_alias(const ProjectName& project, const AliasName& from, const AliasName& to) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(may_write());
    const auto owner = owner_of(project, ProjectFeature::Images).str();
    const auto row = aliases_.find({owner, from.str()});
    if (row == aliases_.end()) return missing("Image alias", from.str());
    if (from != to && aliases_.contains({owner, to.str()})) return alias_exists(to);
    ImageAlias renamed = row->second;
    renamed.name = to;
    aliases_.erase(row);
    aliases_.emplace(Key{owner, to.str()}, renamed);
    return {};
  }
  Result<void> delete_alias(const ProjectName& project, const AliasName& name) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(may_write());
    if (aliases_.erase({owner_of(project, ProjectFeature::Images).str(), name.str()}) == 0)
      return missing("Image alias", name.str());
    return {};
  }
  Result<ImageAlias> alias(const ProjectName& project, const AliasName& name) override {
    const std::lock_guard lock(mutex_);
    const auto row = aliases_.find({owner_of(project, ProjectFeature::Images).str(), name.str()});
    if (row == aliases_.end()) return missing("Image alias", name.str());
    return row->second;
  }
  Result<std::vector<ImageAlias>> aliases(const ProjectName& project) override {
    const std::lock_guard lock(mutex_);
    return rows_of(aliases_, project, ProjectFeature::Images, nullptr);
  }

  Result<void> insert_pool(const StoragePool& pool) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(may_write());
    if (!pools_.emplace(pool.name.str(), pool).second) return exists("Storage pool", pool.name.str());
    return {};
  }
  Result<StoragePool> pool(const PoolName& name) override {
    const std::lock_guard lock(mutex_);
    const auto row = pools_.find(name.str());
    if (row == pools_.end()) return missing("Storage pool", name.str());
    return row->second;
  }
  Result<std::vector<StoragePool>> pools() override {
    const std::lock_guard lock(mutex_);
    std::vector<StoragePool> rows;
    for (const auto& [name, row] : pools_) rows.push_back(row);
    return rows;
  }

  Result<void> insert_project(const Project& project, const std::optional<Profile>& profile) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(may_write());
    if (!projects_.emplace(project.name.str(), project).second) return exists("Project", project.name.str());
    add_own_profile(profile);
    return {};
  }
  Result<std::uint64_t> update_project(const Project& project, std::optional<std::uint64_t> expected,
                                       const std::optional<Profile>& profile) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(may_write());
    return change_project(project, expected, profile);
  }
  Result<void> rename_project(const ProjectName& from, const ProjectName& to) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(may_write());
    return move_project(from, to);
  }
  Result<void> delete_project(const ProjectName& name) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(may_write());
    BERTH_CHECK(check_empty(name, "removed"));
    std::erase_if(profiles_, [&](const auto& entry) { return entry.first.first == name.str(); });
    projects_.erase(name.str());
    return {};
  }
  Result<Project> project(const Principal& who, const ProjectName& name) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(check_project(name));
    const auto& row = projects_.at(name.str());
    if (!visible_to(who, row.name, row.owner_uid, row.owner_uid)) return missing("Project", name.str());
    return row;
  }
  Result<std::vector<Project>> projects(const Principal& who) override {
    const std::lock_guard lock(mutex_);
    std::vector<Project> rows;
    for (const auto& [name, row] : projects_)
      if (visible_to(who, row.name, row.owner_uid, row.owner_uid)) rows.push_back(row);
    return rows;
  }
  Result<bool> project_in_use(const ProjectName& name) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(check_project(name));
    return in_use(name);
  }
  Result<bool> project_exists(const ProjectName& project) override {
    const std::lock_guard lock(mutex_);
    return projects_.contains(project.str());
  }

  Result<ConfigMap> server_config() override {
    const std::lock_guard lock(mutex_);
    return server_config_;
  }
  Result<void> set_server_config(const ConfigMap& config) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(may_write());
    server_config_ = config;
    return {};
  }

  Result<void> begin_intent(const ports::Intent& intent) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(may_write());
    for (const auto& row : intents_)
      if (row.id == intent.id) return Error{Code::AlreadyExists, "Intent " + intent.id.str() + " already exists"};
    intents_.push_back(intent);
    return {};
  }
  Result<void> end_intent(const Uuid& id) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(may_write());
    std::erase_if(intents_, [&](const ports::Intent& row) { return row.id == id; });
    return {};
  }
  Result<std::vector<ports::Intent>> intents() override {
    const std::lock_guard lock(mutex_);
    auto rows = intents_;
    std::sort(rows.begin(), rows.end(), [](const ports::Intent& a, const ports::Intent& b) {
      return std::pair(a.created_at, a.id.str()) < std::pair(b.created_at, b.id.str());
    });
    return rows;
  }
};

}  // namespace berth::fakes
