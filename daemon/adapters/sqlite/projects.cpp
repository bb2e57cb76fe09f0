#include "daemon/adapters/sqlite/sqlite_store.hpp"
#include "daemon/domain/visibility.hpp"

namespace berth::sqlite {
namespace {

const std::string kColumns = "SELECT uuid, name, owner_uid, revision, created_at, description, config FROM projects ";
const std::string kByName = kColumns + "WHERE name = ?";
const std::string kAll = kColumns + "ORDER BY name";

/// Every table whose rows a project may own beside its `default` profile.
constexpr std::string_view kInUse =
    "SELECT EXISTS (SELECT 1 FROM instances WHERE project = ?1) OR EXISTS (SELECT 1 FROM images WHERE project = ?1) "
    "OR EXISTS (SELECT 1 FROM profiles WHERE project = ?1 AND name <> 'default')";

Error not_found(const ProjectName& name) { return Error{Code::NotFound, "Project \"" + name.str() + "\" not found"}; }
Error taken(const ProjectName& name) {
  return Error{Code::AlreadyExists, "Project \"" + name.str() + "\" already exists"};
}

Result<Project> read_project(const Statement& row) {
  RowReader columns(row);
  BERTH_TRY(auto uuid, columns.name<Uuid>());
  BERTH_TRY(auto name, columns.name<ProjectName>());
  Project project{.uuid = std::move(uuid), .name = std::move(name)};
  project.owner_uid = columns.uid();
  project.revision = columns.count();
  project.created_at = columns.time();
  project.description = columns.text();
  project.config = columns.config();
  BERTH_CHECK(columns.check());
  return project;
}

bool visible(const Principal& who, const Project& project) {
  return visible_to(who, project.name, project.owner_uid, project.owner_uid);
}

bool same_owners(const Project& a, const Project& b) {
  for (const auto feature : {ProjectFeature::Images, ProjectFeature::Profiles, ProjectFeature::StorageVolumes})
    if (effective_project(a, feature) != effective_project(b, feature)) return false;
  return true;
}

}  // namespace

Result<Project> SqliteStore::project_row(const ProjectName& name) {
  BERTH_TRY(auto row, database_->query(kByName, name.str()));
  BERTH_TRY(const bool there, row.step());
  if (!there) return not_found(name);
  return read_project(row);
}

/// A project that does not exist owns nothing, so a query for it finds nothing, as one for a hidden project does.
Result<ProjectName> SqliteStore::owning_project(const ProjectName& asked, ProjectFeature feature) {
  auto project = project_row(asked);
  if (project) return effective_project(*project, feature);
  if (project.error().code == Code::NotFound) return asked;
  return std::move(project).error();
}

Result<bool> SqliteStore::in_use(const ProjectName& name) {
  BERTH_TRY(auto row, database_->query(kInUse, name.str()));
  BERTH_TRY(const bool there, row.step());
  return there && row.integer(0) != 0;
}

Result<void> SqliteStore::check_empty(const ProjectName& name, const char* to_be) {
  BERTH_CHECK(project_row(name));
  BERTH_TRY(const bool used, in_use(name));
  if (used) return Error{Code::FailedPrecondition, "Only empty projects can be " + std::string(to_be)};
  return {};
}

Result<void> SqliteStore::insert_project(const Project& project, const std::optional<Profile>& profile) {
  return write(Durability::Commit, [&]() -> Result<void> {
    auto done = database_->run(
        "INSERT INTO projects (uuid, name, owner_uid, revision, created_at, description, config) VALUES "
        "(?,?,?,?,?,?,?)",
        project.uuid.str(), project.name.str(), std::int64_t{project.owner_uid},
        static_cast<std::int64_t>(project.revision), to_column(project.created_at), project.description,
        to_column(project.config));
    if (!done) return done.error().code == Code::AlreadyExists ? taken(project.name) : std::move(done).error();
    if (profile) return add_profile(*profile, project.name);
    return {};
  });
}

Result<std::uint64_t> SqliteStore::update_project(const Project& project,
                                                  std::optional<std::uint64_t> expected_revision,
                                                  const std::optional<Profile>& profile) {
  return write(Durability::Commit, [&]() -> Result<std::uint64_t> {
    BERTH_TRY(const auto stored, project_row(project.name));
    if (expected_revision && *expected_revision != stored.revision)
      return revision_mismatch("project", project.name.str(), stored.revision, *expected_revision);
    if (!same_owners(stored, project)) {
      BERTH_CHECK(check_empty(project.name, "given other features"));
      if (effective_project(stored, ProjectFeature::Profiles) != effective_project(project, ProjectFeature::Profiles))
        BERTH_CHECK(database_->run("DELETE FROM profiles WHERE project = ?", project.name.str()));
    }
    BERTH_CHECK(database_->run("UPDATE projects SET revision = ?, description = ?, config = ? WHERE uuid = ?",
                               static_cast<std::int64_t>(stored.revision + 1), project.description,
                               to_column(project.config), stored.uuid.str()));
    if (profile) BERTH_CHECK(add_profile(*profile, project.name));
    return stored.revision + 1;
  });
}

Result<void> SqliteStore::rename_project(const ProjectName& from, const ProjectName& to) {
  return write(Durability::Commit, [&]() -> Result<void> {
    BERTH_CHECK(check_empty(from, "renamed"));
    auto done = database_->run("UPDATE projects SET name = ?, revision = revision + 1 WHERE name = ?", to.str(), from.str());
    if (!done && done.error().code == Code::AlreadyExists) return taken(to);
    return done;
  });
}

Result<void> SqliteStore::delete_project(const ProjectName& name) {
  return write(Durability::Commit, [&]() -> Result<void> {
    BERTH_CHECK(check_empty(name, "removed"));
    BERTH_CHECK(database_->run("DELETE FROM profiles WHERE project = ?", name.str()));
    return database_->run("DELETE FROM projects WHERE name = ?", name.str());
  });
}

Result<Project> SqliteStore::project(const Principal& who, const ProjectName& name) {
  return read([&]() -> Result<Project> {
    BERTH_TRY(auto project, project_row(name));
    if (!visible(who, project)) return not_found(name);
    return project;
  });
}

Result<std::vector<Project>> SqliteStore::project_rows() {
  std::vector<Project> out;
  BERTH_TRY(auto rows, database_->query(kAll));
  while (true) {
    BERTH_TRY(const bool there, rows.step());
    if (!there) return out;
    BERTH_TRY(auto project, read_project(rows));
    out.push_back(std::move(project));
  }
}

Result<std::vector<Project>> SqliteStore::projects(const Principal& who) {
  return read([&]() -> Result<std::vector<Project>> {
    BERTH_TRY(auto out, project_rows());
    std::erase_if(out, [&who](const Project& project) { return !visible(who, project); });
    return out;
  });
}

Result<bool> SqliteStore::project_in_use(const ProjectName& name) {
  return read([&]() -> Result<bool> {
    BERTH_CHECK(project_row(name));
    return in_use(name);
  });
}

Result<bool> SqliteStore::project_exists(const ProjectName& project) {
  return read([&]() -> Result<bool> {
    BERTH_TRY(auto row, database_->query("SELECT 1 FROM projects WHERE name = ?", project.str()));
    return row.step();
  });
}

}  // namespace berth::sqlite
