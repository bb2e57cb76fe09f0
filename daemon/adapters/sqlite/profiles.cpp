#include "daemon/adapters/sqlite/sqlite_store.hpp"
#include "daemon/domain/visibility.hpp"

namespace berth::sqlite {
namespace {

const std::string kColumns =
    "SELECT x.uuid, x.project, x.name, x.owner_uid, (SELECT owner_uid FROM projects WHERE name = x.project), "
    "x.revision, x.created_at, x.description, x.config, x.devices FROM profiles x ";
const std::string kByName = kColumns + "WHERE x.project = ? AND x.name = ?";
const std::string kOfProject = kColumns + "WHERE x.project = ? ORDER BY x.name";

Error not_found(const ProfileName& name) { return Error{Code::NotFound, "Profile \"" + name.str() + "\" not found"}; }
Error taken(const ProfileName& name) {
  return Error{Code::AlreadyExists, "Profile \"" + name.str() + "\" already exists"};
}

Result<std::optional<Profile>> read_profile(const Statement& row, const Principal& who, const ProjectName& asked) {
  RowReader columns(row);
  BERTH_TRY(auto uuid, columns.name<Uuid>());
  BERTH_TRY(auto project, columns.name<ProjectName>());
  BERTH_TRY(auto name, columns.name<ProfileName>());
  const auto owner = columns.uid();
  if (!visible_to(who, asked, project, owner, columns.uid())) return std::optional<Profile>{};
  Profile profile{std::move(uuid), std::move(project), std::move(name),  owner, columns.count(), columns.time(),
                  columns.text(),  columns.config(),   columns.devices()};
  BERTH_CHECK(columns.check());
  return std::optional<Profile>{std::move(profile)};
}

}  // namespace

Result<Uuid> SqliteStore::profile_uuid(const ProjectName& project, const ProfileName& name) {
  BERTH_TRY(const auto owner, owning_project(project, ProjectFeature::Profiles));
  BERTH_TRY(auto row,
            database_->query("SELECT uuid FROM profiles WHERE project = ? AND name = ?", owner.str(), name.str()));
  BERTH_TRY(const bool there, row.step());
  if (!there) return not_found(name);
  return Uuid::parse(row.text(0));
}

Result<std::vector<Profile>> SqliteStore::profile_rows(Statement rows, const Principal& who,
                                                       const ProjectName& asked) {
  std::vector<Profile> out;
  while (true) {
    BERTH_TRY(const bool there, rows.step());
    if (!there) return out;
    BERTH_TRY(auto profile, read_profile(rows, who, asked));
    if (profile) out.push_back(std::move(*profile));
  }
}

Result<Profile> SqliteStore::profile_row(const ProjectName& project, const ProfileName& name, const Principal& who) {
  BERTH_TRY(const auto owner, owning_project(project, ProjectFeature::Profiles));
  BERTH_TRY(auto row, database_->query(kByName, owner.str(), name.str()));
  BERTH_TRY(auto found, profile_rows(std::move(row), who, project));
  if (found.empty()) return not_found(name);
  return std::move(found.front());
}

Result<void> SqliteStore::add_profile(const Profile& profile, const ProjectName& owner) {
  auto done = database_->run(
      "INSERT INTO profiles (uuid, project, name, owner_uid, revision, created_at, description, config, devices) "
      "VALUES (?,?,?,?,?,?,?,?,?)",
      profile.uuid.str(), owner.str(), profile.name.str(), std::int64_t{profile.owner_uid},
      static_cast<std::int64_t>(profile.revision), to_column(profile.created_at), profile.description,
      to_column(profile.config), to_column(profile.devices));
  if (!done && done.error().code == Code::AlreadyExists) return taken(profile.name);
  return done;
}

Result<void> SqliteStore::insert_profile(const Profile& profile) {
  return write(Durability::Commit, [&]() -> Result<void> {
    BERTH_TRY(const auto project, project_row(profile.project));
    return add_profile(profile, effective_project(project, ProjectFeature::Profiles));
  });
}

Result<std::uint64_t> SqliteStore::update_profile(const Profile& profile,
                                                  std::optional<std::uint64_t> expected_revision) {
  return write(Durability::Commit, [&]() -> Result<std::uint64_t> {
    BERTH_TRY(const auto stored, profile_row(profile.project, profile.name, daemon_principal()));
    if (expected_revision && *expected_revision != stored.revision)
      return revision_mismatch("profile", profile.name.str(), stored.revision, *expected_revision);
    BERTH_CHECK(
        database_->run("UPDATE profiles SET revision = ?, description = ?, config = ?, devices = ? WHERE uuid = ?",
                       static_cast<std::int64_t>(stored.revision + 1), profile.description, to_column(profile.config),
                       to_column(profile.devices), stored.uuid.str()));
    return stored.revision + 1;
  });
}

Result<void> SqliteStore::rename_profile(const ProjectName& project, const ProfileName& from, const ProfileName& to) {
  return write(Durability::Commit, [&]() -> Result<void> {
    BERTH_TRY(const auto uuid, profile_uuid(project, from));
    auto done =
        database_->run("UPDATE profiles SET name = ?, revision = revision + 1 WHERE uuid = ?", to.str(), uuid.str());
    if (!done) return done.error().code == Code::AlreadyExists ? taken(to) : std::move(done).error();
    return rename_in_snapshots(project, from, to);
  });
}

/// Snapshots have the names of their profiles, since a profile may go and they stay.
Result<void> SqliteStore::rename_in_snapshots(const ProjectName& project, const ProfileName& from, const ProfileName& to) {
  BERTH_TRY(const auto owner, owning_project(project, ProjectFeature::Profiles));
  BERTH_TRY(const auto all, project_rows());
  for (const auto& user : all)
    if (effective_project(user, ProjectFeature::Profiles) == owner)
      BERTH_CHECK(database_->run(
          "UPDATE instance_snapshots SET profiles = trim(replace(?1 || profiles || ?1, ?1 || ?2 || ?1, ?1 || ?3 || ?1), ?1) "
          "WHERE instance IN (SELECT uuid FROM instances WHERE project = ?4)",
          std::string(1, RowReader::kListSeparator), from.str(), to.str(), user.name.str()));
  return {};
}

Result<void> SqliteStore::delete_profile(const ProjectName& project, const ProfileName& name) {
  return write(Durability::Commit, [&]() -> Result<void> {
    BERTH_TRY(const auto uuid, profile_uuid(project, name));
    BERTH_TRY(auto user, database_->query("SELECT 1 FROM instance_profiles WHERE profile = ? LIMIT 1", uuid.str()));
    BERTH_TRY(const bool used, user.step());
    if (used) return Error{Code::FailedPrecondition, "Profile is currently in use"};
    return database_->run("DELETE FROM profiles WHERE uuid = ?", uuid.str());
  });
}

Result<Profile> SqliteStore::profile(const Principal& who, const ProjectName& project, const ProfileName& name) {
  return read([&] { return profile_row(project, name, who); });
}

Result<std::vector<Profile>> SqliteStore::profiles(const Principal& who, const ProjectName& project) {
  return read([&]() -> Result<std::vector<Profile>> {
    BERTH_TRY(const auto owner, owning_project(project, ProjectFeature::Profiles));
    BERTH_TRY(auto rows, database_->query(kOfProject, owner.str()));
    return profile_rows(std::move(rows), who, project);
  });
}

}  // namespace berth::sqlite
