#pragma once

#include "daemon/adapters/sqlite/database.hpp"
#include "daemon/adapters/sqlite/kept_table.hpp"
#include "daemon/adapters/sqlite/rows.hpp"
#include "daemon/adapters/sqlite/schema.hpp"
#include "daemon/ports/certificate_store.hpp"
#include "daemon/ports/store.hpp"

#include <memory>
#include <mutex>
#include <string>

namespace berth::sqlite {

/// The store in one SQLite file. Any thread: one connection behind one mutex, since a query takes microseconds and only
/// a commit waits for the disk.
class SqliteStore final : public ports::Store, public ports::CertificateStore {
 public:
  /// Opens `FOLDER/berth.db`, making folder (mode 0700) and file (0600) when they are not there, and brings its schema
  /// up to date. A file with a newer schema opens for reading: then every change answers Unavailable.
  /// Errors: Internal (damaged, another program's), Unavailable (held, disk full).
  static Result<std::unique_ptr<SqliteStore>> open(const std::string& folder);

  bool read_only() const noexcept { return age_ == SchemaAge::Newer; }

  Result<void> insert_instance(const Instance& instance) override;
  Result<std::uint64_t> update_instance(const Instance& instance,
                                        std::optional<std::uint64_t> expected_revision) override;
  Result<void> rename_instance(const Uuid& uuid, const InstanceName& to) override;
  Result<void> move_instance(const Instance& instance) override;
  Result<void> delete_instance(const Uuid& uuid) override;
  Result<Instance> instance(const Principal& who, const ProjectName& project, const InstanceName& name) override;
  Result<Instance> instance_by_uuid(const Uuid& uuid) override;
  Result<std::vector<Instance>> instances(const Principal& who, const std::optional<ProjectName>& project) override;
  Result<std::vector<InstanceSummary>> instance_summaries(const Principal& who,
                                                          const std::optional<ProjectName>& project) override;
  Result<void> set_instance_volatile(const Uuid& uuid, const ConfigMap& keys) override;
  Result<void> touch_instance(const Uuid& uuid, Timestamp last_used_at) override;

  Result<void> insert_snapshot(const Snapshot& snapshot) override;
  Result<void> insert_instance_with_snapshots(const Instance& instance,
                                              const std::vector<Snapshot>& snapshots) override;
  Result<std::uint64_t> update_snapshot(const Snapshot& snapshot,
                                        std::optional<std::uint64_t> expected_revision) override;
  Result<void> delete_snapshot(const Uuid& uuid) override;
  Result<std::vector<Snapshot>> snapshots(const std::optional<Uuid>& instance) override;

  Result<void> insert_profile(const Profile& profile) override;
  Result<std::uint64_t> update_profile(const Profile& profile, std::optional<std::uint64_t> expected_revision) override;
  Result<void> rename_profile(const ProjectName& project, const ProfileName& from, const ProfileName& to) override;
  Result<void> delete_profile(const ProjectName& project, const ProfileName& name) override;
  Result<Profile> profile(const Principal& who, const ProjectName& project, const ProfileName& name) override;
  Result<std::vector<Profile>> profiles(const Principal& who, const ProjectName& project) override;
  Result<std::vector<Instance>> instances_with_profile(const ProjectName& project, const ProfileName& name) override;

  Result<void> insert_image(const Image& image, const std::vector<ImageAlias>& aliases) override;
  Result<std::uint64_t> update_image(const Image& image, std::optional<std::uint64_t> expected_revision) override;
  Result<void> delete_image(const ProjectName& project, const Fingerprint& fingerprint) override;
  Result<Image> image(const Principal& who, const ProjectName& project, const Fingerprint& fingerprint) override;
  Result<std::vector<Image>> images_by_prefix(const Principal& who, const ProjectName& project,
                                              std::string_view prefix) override;
  Result<std::vector<Image>> images(const Principal& who, const ProjectName& project) override;
  Result<bool> image_known(const Fingerprint& fingerprint) override;
  Result<void> touch_image(const Fingerprint& fingerprint, Timestamp last_used_at) override;
  Result<void> insert_alias(const ImageAlias& alias) override;
  Result<void> update_alias(const ImageAlias& alias) override;
  Result<void> rename_alias(const ProjectName& project, const AliasName& from, const AliasName& to) override;
  Result<void> delete_alias(const ProjectName& project, const AliasName& name) override;
  Result<ImageAlias> alias(const ProjectName& project, const AliasName& name) override;
  Result<std::vector<ImageAlias>> aliases(const ProjectName& project) override;

  Result<void> insert_pool(const StoragePool& pool) override;
  Result<StoragePool> pool(const PoolName& name) override;
  Result<std::vector<StoragePool>> pools() override;

  Result<void> insert_project(const Project& project, const std::optional<Profile>& profile) override;
  Result<std::uint64_t> update_project(const Project& project, std::optional<std::uint64_t> expected_revision,
                                       const std::optional<Profile>& profile) override;
  Result<void> rename_project(const ProjectName& from, const ProjectName& to) override;
  Result<void> delete_project(const ProjectName& name) override;
  Result<Project> project(const Principal& who, const ProjectName& name) override;
  Result<std::vector<Project>> projects(const Principal& who) override;
  Result<bool> project_in_use(const ProjectName& name) override;
  Result<bool> project_exists(const ProjectName& project) override;

  Result<ConfigMap> server_config() override;
  Result<void> set_server_config(const ConfigMap& config) override;

  Result<void> insert_certificate(const Certificate& certificate) override;
  Result<std::uint64_t> update_certificate(const Certificate& certificate,
                                           std::optional<std::uint64_t> expected_revision) override;
  Result<void> delete_certificate(const Uuid& uuid) override;
  Result<std::vector<Certificate>> certificates() override;

  Result<void> begin_intent(const ports::Intent& intent) override;
  Result<void> end_intent(const Uuid& id) override;
  Result<std::vector<ports::Intent>> intents() override;

 private:
  enum class Durability {
    Commit,    ///< on the disk when the call returns
    Volatile,  ///< may be lost with the machine, never with the daemon
  };

  SqliteStore(std::unique_ptr<Database> database, SchemaAge age) : database_(std::move(database)), age_(age) {}

  /// Runs `work` under the lock.
  template <typename Work>
  auto read(Work work) -> decltype(work()) {
    const std::lock_guard lock(mutex_);
    return work();
  }
  /// Runs `work` under the lock and in one transaction, which is committed when it succeeds.
  template <typename Work>
  auto write(Durability durability, Work work) -> decltype(work()) {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(check_writable());
    BERTH_CHECK(database_->set_durable(durability == Durability::Commit));
    BERTH_TRY(auto transaction, Transaction::begin(*database_));
    auto done = work();
    if (!done) return done;
    BERTH_CHECK(transaction.commit());
    return done;
  }
  Result<void> check_writable() const;

  // All of these are called under the lock.
  Result<Project> project_row(const ProjectName& name);
  Result<std::vector<Project>> project_rows();
  Result<void> rename_in_snapshots(const ProjectName& project, const ProfileName& from, const ProfileName& to);
  Result<bool> in_use(const ProjectName& name);
  Result<void> check_empty(const ProjectName& name, const char* to_be);
  Result<ProjectName> owning_project(const ProjectName& asked, ProjectFeature feature);
  Result<void> check_pool(const PoolName& name);
  Result<Uuid> profile_uuid(const ProjectName& project, const ProfileName& name);
  Result<void> set_profiles(std::string_view insert_sql, std::string_view delete_sql, const Uuid& owner,
                            const ProjectName& project, const std::vector<ProfileName>& profiles);
  Result<void> add_instance(const Instance& instance);
  Result<void> add_snapshot(const Snapshot& snapshot);
  Result<void> add_profile(const Profile& profile, const ProjectName& owner);
  Result<std::vector<Instance>> instance_rows(Statement rows, const Principal& who);
  Result<void> set_certificate_projects(const Certificate& given);
  Result<Profile> profile_row(const ProjectName& project, const ProfileName& name, const Principal& who);
  Result<std::vector<Profile>> profile_rows(Statement rows, const Principal& who, const ProjectName& asked);
  Result<Image> image_row(const ProjectName& project, const Fingerprint& fingerprint, const Principal& who);
  Result<std::vector<Image>> image_rows(Statement rows, const Principal& who, const ProjectName& asked);
  Result<void> add_alias(const ImageAlias& alias);
  Result<std::vector<StoragePool>> read_pools();
  Result<ConfigMap> read_server_config();

  std::mutex mutex_;
  std::unique_ptr<Database> database_;
  SchemaAge age_;
  KeptTable<std::vector<StoragePool>> pools_;
  KeptTable<ConfigMap> server_config_;
};

}  // namespace berth::sqlite
