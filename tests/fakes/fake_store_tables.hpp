#pragma once

#include "daemon/domain/visibility.hpp"
#include "daemon/ports/store.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace berth::fakes {

/// The rows of a FakeStore and the questions its calls ask of them. Used under the store's lock.
class FakeStoreTables {
 protected:
  FakeStoreTables() {
    Project project{.uuid = new_uuid(), .name = default_project()};
    project.config = {{"features.images", "true"},
                      {"features.networks", "true"},
                      {"features.profiles", "true"},
                      {"features.storage.volumes", "true"}};
    projects_.emplace(default_project().str(), project);
  }

  using Key = std::pair<std::string, std::string>;  ///< project that owns the row, name or fingerprint

  static Error missing(const std::string& kind, const std::string& name) {
    return Error{Code::NotFound, kind + " \"" + name + "\" not found"};
  }
  static Error exists(const std::string& kind, const std::string& name) {
    return Error{Code::AlreadyExists, kind + " \"" + name + "\" already exists"};
  }
  static Error alias_exists(const AliasName& name) { return exists("Alias", name.str()); }

  static std::vector<InstanceSummary> summaries_of(const std::vector<Instance>& rows) {
    std::vector<InstanceSummary> summaries;
    std::transform(rows.begin(), rows.end(), std::back_inserter(summaries), summary_of);
    return summaries;
  }

  Result<void> may_write() {
    if (!next_failure_) return {};
    if (passes_ > 0) {
      --passes_;
      return {};
    }
    return *std::exchange(next_failure_, std::nullopt);
  }
  static Result<void> check_revision(const std::string& kind, const std::string& name, std::uint64_t stored,
                                     std::optional<std::uint64_t> expected) {
    if (!expected || *expected == stored) return {};
    return Error{Code::RevisionMismatch, "The " + kind + " \"" + name + "\" has changed: it has revision " +
                                             std::to_string(stored) + ", not " + std::to_string(*expected)};
  }
  Result<void> check_project(const ProjectName& name) const {
    if (projects_.contains(name.str())) return {};
    return missing("Project", name.str());
  }
  bool in_use(const ProjectName& name) const {
    const auto of_it = [&](const auto& entry) { return entry.first.first == name.str(); };
    return std::any_of(instances_.begin(), instances_.end(), [&](const auto& entry) { return entry.second.project == name; }) ||
           std::any_of(images_.begin(), images_.end(), of_it) ||
           std::any_of(profiles_.begin(), profiles_.end(),
                       [&](const auto& entry) { return of_it(entry) && entry.first.second != "default"; });
  }
  Result<void> check_empty(const ProjectName& name, const std::string& to_be) const {
    BERTH_CHECK(check_project(name));
    if (in_use(name)) return Error{Code::FailedPrecondition, "Only empty projects can be " + to_be};
    return {};
  }
  void add_own_profile(const std::optional<Profile>& profile) {
    if (profile) profiles_.emplace(Key{profile->project.str(), profile->name.str()}, *profile);
  }
  Result<std::uint64_t> change_project(const Project& given, std::optional<std::uint64_t> expected,
                                       const std::optional<Profile>& profile) {
    BERTH_CHECK(check_project(given.name));
    auto& row = projects_.at(given.name.str());
    BERTH_CHECK(check_revision("project", given.name.str(), row.revision, expected));
    for (const auto feature : {ProjectFeature::Images, ProjectFeature::Profiles, ProjectFeature::StorageVolumes}) {
      if (effective_project(row, feature) == effective_project(given, feature)) continue;
      BERTH_CHECK(check_empty(given.name, "given other features"));
      if (feature == ProjectFeature::Profiles)
        std::erase_if(profiles_, [&](const auto& entry) { return entry.first.first == given.name.str(); });
    }
    row.description = given.description;
    row.config = given.config;
    add_own_profile(profile);
    return ++row.revision;
  }
  Result<void> move_project(const ProjectName& from, const ProjectName& to) {
    BERTH_CHECK(check_empty(from, "renamed"));
    if (projects_.contains(to.str())) return exists("Project", to.str());
    auto project = projects_.extract(from.str());
    project.key() = to.str();
    project.mapped().name = to;
    ++project.mapped().revision;
    projects_.insert(std::move(project));
    auto profile = profiles_.extract(Key{from.str(), "default"});
    if (!profile) return {};
    profile.key().first = to.str();
    profile.mapped().project = to;
    profiles_.insert(std::move(profile));
    return {};
  }
  Result<void> check_pool(const PoolName& name) const {
    if (pools_.contains(name.str())) return {};
    return missing("Storage pool", name.str());
  }
  Result<void> name_instance(Instance& row, const ProjectName& project, const InstanceName& name) {
    for (const auto& [uuid, other] : instances_)
      if (uuid != row.uuid.str() && other.project == project && other.name == name) return exists("Instance", name.str());
    row.project = project;
    row.name = name;
    ++row.revision;
    return {};
  }
  Result<void> change_project_of(const Instance& given) {
    BERTH_CHECK(check_project(given.project));
    const auto row = instances_.find(given.uuid.str());
    if (row == instances_.end()) return missing("Instance", given.name.str());
    BERTH_CHECK(check_profiles(given.project, given.profiles));
    BERTH_CHECK(name_instance(row->second, given.project, given.name));
    row->second.profiles = given.profiles;
    row->second.config = given.config;
    return {};
  }
  Result<void> check_profiles(const ProjectName& project, const std::vector<ProfileName>& names) {
    for (const auto& name : names)
      if (find_profile(project, name) == profiles_.end()) return missing("Profile", name.str());
    return {};
  }
  ProjectName owner_of(const ProjectName& asked, ProjectFeature feature) const {
    const auto project = projects_.find(asked.str());
    return project == projects_.end() ? asked : effective_project(project->second, feature);
  }
  template <typename Row>
  bool visible(const Principal& who, const Row& row, const ProjectName& asked) const {
    const auto project = projects_.find(row.project.str());
    return visible_to(who, asked, row.project, row.owner_uid, project == projects_.end() ? 0 : project->second.owner_uid);
  }
  void rename_in_snapshots(const Profile& profile, const ProfileName& to) {
    for (auto& snapshot : snapshots_)
      if (const auto of = instances_.find(snapshot.instance.str());
          of != instances_.end() && owner_of(of->second.project, ProjectFeature::Profiles) == profile.project)
        std::replace(snapshot.profiles.begin(), snapshot.profiles.end(), profile.name, to);
  }
  bool uses(const Instance& user, const Profile& profile) const {
    return owner_of(user.project, ProjectFeature::Profiles) == profile.project &&
           std::find(user.profiles.begin(), user.profiles.end(), profile.name) != user.profiles.end();
  }
  std::map<Key, Profile>::iterator find_profile(const ProjectName& project, const ProfileName& name) {
    return profiles_.find({owner_of(project, ProjectFeature::Profiles).str(), name.str()});
  }
  std::map<Key, Image>::iterator find_image(const ProjectName& project, const Fingerprint& fingerprint) {
    return images_.find({owner_of(project, ProjectFeature::Images).str(), fingerprint.str()});
  }
  Result<void> add_alias(const ImageAlias& alias) {
    if (find_image(alias.project, alias.target) == images_.end()) return missing("Image", alias.target.str());
    ImageAlias row = alias;
    row.project = owner_of(alias.project, ProjectFeature::Images);
    const Key key{row.project.str(), row.name.str()};
    if (!aliases_.emplace(key, std::move(row)).second) return alias_exists(alias.name);
    return {};
  }
  Result<void> add_instance(const Instance& given) {
    BERTH_CHECK(check_project(given.project));
    BERTH_CHECK(check_pool(given.pool));
    for (const auto& [uuid, row] : instances_)
      if (uuid == given.uuid.str() || (row.project == given.project && row.name == given.name))
        return exists("Instance", given.name.str());
    BERTH_CHECK(check_profiles(given.project, given.profiles));
    instances_.emplace(given.uuid.str(), given);
    return {};
  }
  bool snapshot_taken(const Snapshot& given) const {
    return std::any_of(snapshots_.begin(), snapshots_.end(), [&](const Snapshot& row) {
      return row.uuid != given.uuid && row.instance == given.instance && row.name == given.name;
    });
  }
  Result<void> add_snapshot(const Snapshot& given) {
    if (!instances_.contains(given.instance.str())) return missing("Instance", given.instance.str());
    if (snapshot_taken(given)) return exists("Snapshot", given.name.str());
    snapshots_.push_back(given);
    std::sort(snapshots_.begin(), snapshots_.end(), [](const Snapshot& a, const Snapshot& b) {
      return std::pair(a.created_at, a.name) < std::pair(b.created_at, b.name);
    });
    return {};
  }
  void drop_instance(const Uuid& uuid) {
    instances_.erase(uuid.str());
    std::erase_if(snapshots_, [&](const Snapshot& row) { return row.instance == uuid; });
  }
  template <typename Row>
  std::vector<Row> rows_of(const std::map<Key, Row>& table, const ProjectName& asked, ProjectFeature feature,
                           const Principal* who) const {
    std::vector<Row> rows;
    const auto owner = owner_of(asked, feature);
    for (const auto& [key, row] : table) {
      if (key.first != owner.str()) continue;
      if constexpr (!std::is_same_v<Row, ImageAlias>)
        if (!visible(*who, row, asked)) continue;
      rows.push_back(row);
    }
    return rows;
  }
  template <typename Wanted>
  std::vector<Instance> sorted_instances(Wanted wanted) const {
    std::vector<Instance> rows;
    for (const auto& [uuid, row] : instances_)
      if (wanted(row)) rows.push_back(row);
    std::sort(rows.begin(), rows.end(), [](const Instance& a, const Instance& b) {
      return std::pair(a.project, a.name) < std::pair(b.project, b.name);
    });
    return rows;
  }

  std::mutex mutex_;
  std::optional<Error> next_failure_;
  unsigned passes_ = 0;  ///< writes that still succeed before it
  std::map<std::string, Project> projects_;
  std::map<std::string, StoragePool> pools_;
  std::map<std::string, Instance> instances_;  ///< by uuid
  std::vector<Snapshot> snapshots_;
  std::map<Key, Profile> profiles_;
  std::map<Key, Image> images_;
  std::map<Key, ImageAlias> aliases_;
  ConfigMap server_config_;
  std::vector<ports::Intent> intents_;
};

}  // namespace berth::fakes
