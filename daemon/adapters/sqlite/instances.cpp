#include "daemon/adapters/sqlite/sqlite_store.hpp"
#include "daemon/domain/visibility.hpp"

namespace berth::sqlite {
namespace {

/// One statement for a list of any length: profile names and the project's owner come with each row.
const std::string kColumns =
    "SELECT i.uuid, i.project, i.name, i.type, i.location, i.owner_uid, "
    "(SELECT owner_uid FROM projects WHERE name = i.project), "
    "i.architecture, i.revision, i.created_at, i.last_used_at, i.ephemeral, i.description, i.pool, "
    "(SELECT group_concat(name, char(31)) FROM (SELECT p.name FROM instance_profiles ip JOIN profiles p "
    "ON p.uuid = ip.profile WHERE ip.instance = i.uuid ORDER BY ip.position)), "
    "i.config, i.devices FROM instances i ";

const std::string kByName = kColumns + "WHERE i.project = ? AND i.name = ?";
const std::string kByUuid = kColumns + "WHERE i.uuid = ?";
const std::string kOfProject = kColumns + "WHERE i.project = ? ORDER BY i.name";
const std::string kAll = kColumns + "ORDER BY i.project, i.name";
const std::string kWithProfile = kColumns +
                                 "WHERE i.uuid IN (SELECT instance FROM instance_profiles WHERE profile = ?) "
                                 "ORDER BY i.project, i.name";

const std::string kSummaryColumns =
    "SELECT i.uuid, i.project, i.name, i.owner_uid, p.owner_uid, i.type, i.architecture, i.revision, i.created_at, "
    "i.last_used_at, i.ephemeral FROM instances i JOIN projects p ON p.name = i.project ";
const std::string kSummariesOfProject = kSummaryColumns + "WHERE i.project = ? ORDER BY i.name";
const std::string kAllSummaries = kSummaryColumns + "ORDER BY i.project, i.name";

constexpr std::string_view kInsertProfile =
    "INSERT INTO instance_profiles (instance, position, profile) VALUES (?,?,?)";
constexpr std::string_view kDeleteProfiles = "DELETE FROM instance_profiles WHERE instance = ?";

Error not_found(const std::string& name) { return Error{Code::NotFound, "Instance \"" + name + "\" not found"}; }

Error taken(const InstanceName& name) {
  return Error{Code::AlreadyExists, "Instance \"" + name.str() + "\" already exists"};
}

/// The current row, or nothing when `who` may not know of it.
Result<std::optional<Instance>> read_instance(const Statement& row, const Principal& who) {
  RowReader columns(row);
  BERTH_TRY(auto uuid, columns.name<Uuid>());
  BERTH_TRY(auto project, columns.name<ProjectName>());
  BERTH_TRY(auto name, columns.name<InstanceName>());
  std::string type = columns.text();
  std::string location = columns.text();
  const auto owner = columns.uid();
  if (!visible_to(who, project, owner, columns.uid())) return std::optional<Instance>{};
  std::string architecture = columns.text();
  const auto revision = columns.count();
  const auto created_at = columns.time();
  const auto last_used_at = columns.time();
  const bool ephemeral = columns.flag();
  std::string description = columns.text();
  BERTH_TRY(auto pool, columns.name<PoolName>());
  BERTH_TRY(auto profiles, columns.names<ProfileName>());
  Instance instance{std::move(uuid),
                    std::move(project),
                    std::move(name),
                    std::move(type),
                    std::move(location),
                    owner,
                    std::move(architecture),
                    revision,
                    created_at,
                    last_used_at,
                    ephemeral,
                    std::move(description),
                    std::move(profiles),
                    columns.config(),
                    columns.devices(),
                    std::move(pool)};
  BERTH_CHECK(columns.check());
  return std::optional<Instance>{std::move(instance)};
}

/// The current row, or nothing when `who` may not know of it.
Result<std::optional<InstanceSummary>> read_summary(const Statement& row, const Principal& who) {
  RowReader columns(row);
  BERTH_TRY(auto uuid, columns.name<Uuid>());
  BERTH_TRY(auto project, columns.name<ProjectName>());
  BERTH_TRY(auto name, columns.name<InstanceName>());
  const auto owner = columns.uid();
  if (!visible_to(who, project, owner, columns.uid())) return std::optional<InstanceSummary>{};
  std::string type = columns.text();
  std::string architecture = columns.text();
  const auto revision = columns.count();
  const auto created_at = columns.time();
  const auto last_used_at = columns.time();
  return std::optional<InstanceSummary>{{std::move(uuid), std::move(project), std::move(name), std::move(type),
                                         std::move(architecture), revision, created_at, last_used_at,
                                         columns.flag()}};
}

}  // namespace

Result<std::vector<Instance>> SqliteStore::instance_rows(Statement rows, const Principal& who) {
  std::vector<Instance> out;
  while (true) {
    BERTH_TRY(const bool there, rows.step());
    if (!there) return out;
    BERTH_TRY(auto instance, read_instance(rows, who));
    if (instance) out.push_back(std::move(*instance));
  }
}

Result<void> SqliteStore::set_profiles(std::string_view insert_sql, std::string_view delete_sql, const Uuid& owner,
                                       const ProjectName& project, const std::vector<ProfileName>& profiles) {
  BERTH_CHECK(database_->run(delete_sql, owner.str()));
  std::int64_t position = 0;
  for (const auto& name : profiles) {
    BERTH_TRY(const auto profile, profile_uuid(project, name));
    BERTH_CHECK(database_->run(insert_sql, owner.str(), position++, profile.str()));
  }
  return {};
}

Result<void> SqliteStore::add_instance(const Instance& instance) {
  BERTH_CHECK(project_row(instance.project));
  BERTH_CHECK(check_pool(instance.pool));
  auto done = database_->run(
      "INSERT INTO instances (uuid, project, name, type, location, owner_uid, architecture, revision, created_at, "
      "last_used_at, ephemeral, description, pool, config, devices) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
      instance.uuid.str(), instance.project.str(), instance.name.str(), instance.type, instance.location,
      std::int64_t{instance.owner_uid}, instance.architecture, static_cast<std::int64_t>(instance.revision),
      to_column(instance.created_at), to_column(instance.last_used_at), std::int64_t{instance.ephemeral},
      instance.description, instance.pool.str(), to_column(instance.config), to_column(instance.devices));
  if (!done) return done.error().code == Code::AlreadyExists ? taken(instance.name) : std::move(done).error();
  return set_profiles(kInsertProfile, kDeleteProfiles, instance.uuid, instance.project, instance.profiles);
}

Result<void> SqliteStore::insert_instance(const Instance& instance) {
  return write(Durability::Commit, [&] { return add_instance(instance); });
}

Result<std::uint64_t> SqliteStore::update_instance(const Instance& instance,
                                                   std::optional<std::uint64_t> expected_revision) {
  return write(Durability::Commit, [&]() -> Result<std::uint64_t> {
    BERTH_TRY(auto row, database_->query("SELECT revision FROM instances WHERE uuid = ?", instance.uuid.str()));
    BERTH_TRY(const bool there, row.step());
    if (!there) return not_found(instance.name.str());
    const auto stored = static_cast<std::uint64_t>(row.integer(0));
    if (expected_revision && *expected_revision != stored)
      return revision_mismatch("instance", instance.name.str(), stored, *expected_revision);
    BERTH_CHECK(check_pool(instance.pool));
    BERTH_CHECK(database_->run(
        "UPDATE instances SET type = ?, location = ?, architecture = ?, revision = ?, last_used_at = ?, ephemeral = ?, "
        "description = ?, pool = ?, config = ?, devices = ? WHERE uuid = ?",
        instance.type, instance.location, instance.architecture, static_cast<std::int64_t>(stored + 1),
        to_column(instance.last_used_at), std::int64_t{instance.ephemeral}, instance.description, instance.pool.str(),
        to_column(instance.config), to_column(instance.devices), instance.uuid.str()));
    BERTH_CHECK(set_profiles(kInsertProfile, kDeleteProfiles, instance.uuid, instance.project, instance.profiles));
    return stored + 1;
  });
}

Result<void> SqliteStore::rename_instance(const Uuid& uuid, const InstanceName& to) {
  return write(Durability::Commit, [&]() -> Result<void> {
    auto done =
        database_->run("UPDATE instances SET name = ?, revision = revision + 1 WHERE uuid = ?", to.str(), uuid.str());
    if (!done) return done.error().code == Code::AlreadyExists ? taken(to) : std::move(done).error();
    if (database_->changes() == 0) return not_found(uuid.str());
    return {};
  });
}

Result<void> SqliteStore::move_instance(const Instance& instance) {
  return write(Durability::Commit, [&]() -> Result<void> {
    BERTH_CHECK(project_row(instance.project));
    auto done = database_->run("UPDATE instances SET project = ?, name = ?, config = ?, revision = revision + 1 WHERE uuid = ?",
                               instance.project.str(), instance.name.str(), to_column(instance.config), instance.uuid.str());
    if (!done) return done.error().code == Code::AlreadyExists ? taken(instance.name) : std::move(done).error();
    if (database_->changes() == 0) return not_found(instance.name.str());
    return set_profiles(kInsertProfile, kDeleteProfiles, instance.uuid, instance.project, instance.profiles);
  });
}

Result<void> SqliteStore::delete_instance(const Uuid& uuid) {
  return write(Durability::Commit, [&]() -> Result<void> {
    BERTH_CHECK(database_->run("DELETE FROM instances WHERE uuid = ?", uuid.str()));
    if (database_->changes() == 0) return not_found(uuid.str());
    return {};
  });
}

Result<Instance> SqliteStore::instance(const Principal& who, const ProjectName& project, const InstanceName& name) {
  return read([&]() -> Result<Instance> {
    BERTH_TRY(auto row, database_->query(kByName, project.str(), name.str()));
    BERTH_TRY(auto found, instance_rows(std::move(row), who));
    if (found.empty()) return not_found(name.str());
    return std::move(found.front());
  });
}

Result<Instance> SqliteStore::instance_by_uuid(const Uuid& uuid) {
  return read([&]() -> Result<Instance> {
    BERTH_TRY(auto row, database_->query(kByUuid, uuid.str()));
    BERTH_TRY(auto found, instance_rows(std::move(row), daemon_principal()));
    if (found.empty()) return not_found(uuid.str());
    return std::move(found.front());
  });
}

Result<std::vector<Instance>> SqliteStore::instances(const Principal& who, const std::optional<ProjectName>& project) {
  return read([&]() -> Result<std::vector<Instance>> {
    auto rows = project ? database_->query(kOfProject, project->str()) : database_->query(kAll);
    if (!rows) return std::move(rows).error();
    return instance_rows(*std::move(rows), who);
  });
}

Result<std::vector<InstanceSummary>> SqliteStore::instance_summaries(const Principal& who,
                                                                     const std::optional<ProjectName>& project) {
  return read([&]() -> Result<std::vector<InstanceSummary>> {
    BERTH_TRY(auto rows, project ? database_->query(kSummariesOfProject, project->str()) : database_->query(kAllSummaries));
    std::vector<InstanceSummary> out;
    while (true) {
      BERTH_TRY(const bool there, rows.step());
      if (!there) return out;
      BERTH_TRY(auto summary, read_summary(rows, who));
      if (summary) out.push_back(*std::move(summary));
    }
  });
}

Result<void> SqliteStore::set_instance_volatile(const Uuid& uuid, const ConfigMap& keys) {
  return write(Durability::Volatile, [&]() -> Result<void> {
    BERTH_TRY(auto row, database_->query("SELECT config FROM instances WHERE uuid = ?", uuid.str()));
    BERTH_TRY(const bool there, row.step());
    if (!there) return not_found(uuid.str());
    RowReader columns(row);
    ConfigMap config = columns.config();
    BERTH_CHECK(columns.check());
    for (const auto& [key, value] : keys) {
      if (value.empty())
        config.erase(key);
      else
        config.insert_or_assign(key, value);
    }
    return database_->run("UPDATE instances SET config = ?, revision = revision + 1 WHERE uuid = ?", to_column(config),
                          uuid.str());
  });
}

Result<void> SqliteStore::touch_instance(const Uuid& uuid, Timestamp last_used_at) {
  return write(Durability::Volatile, [&]() -> Result<void> {
    BERTH_CHECK(
        database_->run("UPDATE instances SET last_used_at = ? WHERE uuid = ?", to_column(last_used_at), uuid.str()));
    if (database_->changes() == 0) return not_found(uuid.str());
    return {};
  });
}

Result<std::vector<Instance>> SqliteStore::instances_with_profile(const ProjectName& project, const ProfileName& name) {
  return read([&]() -> Result<std::vector<Instance>> {
    BERTH_TRY(const auto uuid, profile_uuid(project, name));
    BERTH_TRY(auto rows, database_->query(kWithProfile, uuid.str()));
    return instance_rows(std::move(rows), daemon_principal());
  });
}

}  // namespace berth::sqlite
