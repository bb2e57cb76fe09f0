#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/names.hpp"
#include "base/result.hpp"
#include "daemon/domain/image.hpp"
#include "daemon/domain/instance.hpp"
#include "daemon/domain/principal.hpp"
#include "daemon/domain/profile.hpp"
#include "daemon/domain/project.hpp"
#include "daemon/domain/snapshot.hpp"
#include "daemon/domain/storage_pool.hpp"

namespace berth::ports {

/// A change of the host that was begun and not yet committed or undone; written before the first step, so that
/// `reconcile` can finish it or roll it back after a crash.
struct Intent {
  Uuid id;
  /// "create-instance", "delete-instance", "create-snapshot", "delete-snapshot", "restore-snapshot", "import-image",
  /// "delete-image", "freeze-instance" (for the time of a copy)
  std::string verb;
  std::string object;  ///< uuid of the instance or snapshot, fingerprint of the image
  std::string detail;  ///< JSON the verb needs to undo itself (pool, project, name)
  Timestamp created_at{};
};

/// The database. Any thread; every call is one transaction that is durable when it returns (commits and intents with
/// synchronous=FULL; `touch_*` may be lost with the machine). Blocking: workers only.
/// Queries take the principal: rows of another user's `user-*` project look absent to it (it sees those it owns, and all
/// of a project it owns); to a restricted certificate, those of all projects but its own and what is shared with them. Root, its equals and
/// the daemon see everything (domain/visibility.hpp).
/// Errors: NotFound names the object (a project, profile or pool that a row refers to as well); AlreadyExists; RevisionMismatch when `expected_revision` is not the stored one;
/// Unavailable when the database is open read-only (its schema is newer); Internal with SQLite's text.
class Store {
 public:
  virtual ~Store() = default;

  // Instances. `insert` and `update` take the whole row; update bumps the revision and returns the new one.
  virtual Result<void> insert_instance(const Instance& instance) = 0;
  virtual Result<std::uint64_t> update_instance(const Instance& instance, std::optional<std::uint64_t> expected_revision) = 0;
  virtual Result<void> rename_instance(const Uuid& uuid, const InstanceName& to) = 0;
  /// Gives the row of that uuid its project, name, profiles and config; owner and snapshots stay its own.
  virtual Result<void> move_instance(const Instance& instance) = 0;
  virtual Result<void> delete_instance(const Uuid& uuid) = 0;
  virtual Result<Instance> instance(const Principal& who, const ProjectName& project, const InstanceName& name) = 0;
  virtual Result<Instance> instance_by_uuid(const Uuid& uuid) = 0;
  /// Sorted by name; when `project` is empty those of every project, one project after the other.
  virtual Result<std::vector<Instance>> instances(const Principal& who, const std::optional<ProjectName>& project) = 0;
  /// The same rows in the same order, without what takes time to read.
  virtual Result<std::vector<InstanceSummary>> instance_summaries(const Principal& who, const std::optional<ProjectName>& project) = 0;
  /// Records volatile keys; an empty value removes the key. A new revision, so that a client cannot send old ones back
  /// unseen, but without the fsync of one.
  virtual Result<void> set_instance_volatile(const Uuid& uuid, const ConfigMap& keys) = 0;
  virtual Result<void> touch_instance(const Uuid& uuid, Timestamp last_used_at) = 0;

  // Snapshots: rows of their instance, and gone with it. Whoever may see the instance may see them.
  virtual Result<void> insert_snapshot(const Snapshot& snapshot) = 0;
  /// An instance and its snapshots at once: a copy is there as a whole or not at all.
  virtual Result<void> insert_instance_with_snapshots(const Instance& instance, const std::vector<Snapshot>& snapshots) = 0;
  /// The name and the expiry change, nothing else; bumps the revision and returns the new one.
  virtual Result<std::uint64_t> update_snapshot(const Snapshot& snapshot, std::optional<std::uint64_t> expected_revision) = 0;
  virtual Result<void> delete_snapshot(const Uuid& uuid) = 0;
  /// Those of one instance, or of all; the oldest first.
  virtual Result<std::vector<Snapshot>> snapshots(const std::optional<Uuid>& instance) = 0;

  // Profiles.
  virtual Result<void> insert_profile(const Profile& profile) = 0;
  virtual Result<std::uint64_t> update_profile(const Profile& profile, std::optional<std::uint64_t> expected_revision) = 0;
  virtual Result<void> rename_profile(const ProjectName& project, const ProfileName& from, const ProfileName& to) = 0;
  /// FailedPrecondition "Profile is currently in use" when an instance names it.
  virtual Result<void> delete_profile(const ProjectName& project, const ProfileName& name) = 0;
  virtual Result<Profile> profile(const Principal& who, const ProjectName& project, const ProfileName& name) = 0;
  virtual Result<std::vector<Profile>> profiles(const Principal& who, const ProjectName& project) = 0;
  /// The instances that name the profile, sorted.
  virtual Result<std::vector<Instance>> instances_with_profile(const ProjectName& project, const ProfileName& name) = 0;

  // Images and aliases.
  virtual Result<void> insert_image(const Image& image, const std::vector<ImageAlias>& aliases) = 0;
  virtual Result<std::uint64_t> update_image(const Image& image, std::optional<std::uint64_t> expected_revision) = 0;
  virtual Result<void> delete_image(const ProjectName& project, const Fingerprint& fingerprint) = 0;
  virtual Result<Image> image(const Principal& who, const ProjectName& project, const Fingerprint& fingerprint) = 0;
  /// Every image whose fingerprint begins with `prefix` (lower-case hex; matched with >= and <, never LIKE).
  virtual Result<std::vector<Image>> images_by_prefix(const Principal& who, const ProjectName& project, std::string_view prefix) = 0;
  virtual Result<std::vector<Image>> images(const Principal& who, const ProjectName& project) = 0;
  /// Whether any project has the image: its files are shared.
  virtual Result<bool> image_known(const Fingerprint& fingerprint) = 0;
  virtual Result<void> touch_image(const Fingerprint& fingerprint, Timestamp last_used_at) = 0;
  virtual Result<void> insert_alias(const ImageAlias& alias) = 0;
  virtual Result<void> update_alias(const ImageAlias& alias) = 0;
  virtual Result<void> rename_alias(const ProjectName& project, const AliasName& from, const AliasName& to) = 0;
  virtual Result<void> delete_alias(const ProjectName& project, const AliasName& name) = 0;
  virtual Result<ImageAlias> alias(const ProjectName& project, const AliasName& name) = 0;
  virtual Result<std::vector<ImageAlias>> aliases(const ProjectName& project) = 0;

  // Storage pools.
  virtual Result<void> insert_pool(const StoragePool& pool) = 0;
  virtual Result<StoragePool> pool(const PoolName& name) = 0;
  /// In memory once read: never waits for another call.
  virtual Result<std::vector<StoragePool>> pools() = 0;

  // Projects. `default` is always there. Images, aliases and profiles of a project without that feature are those of
  // `default`: every call above takes the project that was asked for. Another user's `user-*` project looks absent.
  /// With its `default` profile, where it has profiles of its own.
  virtual Result<void> insert_project(const Project& project, const std::optional<Profile>& profile) = 0;
  /// Description and configuration; bumps the revision and returns the new one. What the project owns does not move: features
  /// change while project_in_use() says no, and then its `default` profile goes, and `profile` comes where it is given.
  /// FailedPrecondition when a project that is in use would share what it owns, or own what it shares.
  virtual Result<std::uint64_t> update_project(const Project& project, std::optional<std::uint64_t> expected_revision,
                                               const std::optional<Profile>& profile) = 0;
  /// FailedPrecondition "Only empty projects can be renamed"; its `default` profile comes along.
  virtual Result<void> rename_project(const ProjectName& from, const ProjectName& to) = 0;
  /// FailedPrecondition "Only empty projects can be removed"; its `default` profile goes with it.
  virtual Result<void> delete_project(const ProjectName& name) = 0;
  virtual Result<Project> project(const Principal& who, const ProjectName& name) = 0;
  /// Sorted by name.
  virtual Result<std::vector<Project>> projects(const Principal& who) = 0;
  /// Whether it has more rows of its own than a `default` profile.
  virtual Result<bool> project_in_use(const ProjectName& name) = 0;
  virtual Result<bool> project_exists(const ProjectName& project) = 0;

  // Server configuration. Once read it is in memory: a reader never waits for another call.
  virtual Result<ConfigMap> server_config() = 0;
  virtual Result<void> set_server_config(const ConfigMap& config) = 0;

  // Intents.
  virtual Result<void> begin_intent(const Intent& intent) = 0;
  virtual Result<void> end_intent(const Uuid& id) = 0;
  virtual Result<std::vector<Intent>> intents() = 0;
};

}  // namespace berth::ports
