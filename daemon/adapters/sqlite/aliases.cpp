#include "daemon/adapters/sqlite/sqlite_store.hpp"

#include <chrono>

namespace berth::sqlite {
namespace {

const std::string kColumns =
    "SELECT a.project, a.name, i.fingerprint, a.description FROM image_aliases a JOIN images i ON i.uuid = a.image ";
const std::string kByName = kColumns + "WHERE a.project = ? AND a.name = ?";
const std::string kOfProject = kColumns + "WHERE a.project = ? ORDER BY a.name";

Error not_found(const AliasName& name) { return Error{Code::NotFound, "Image alias \"" + name.str() + "\" not found"}; }
Error taken(const AliasName& name) { return Error{Code::AlreadyExists, "Alias \"" + name.str() + "\" already exists"}; }

Result<ImageAlias> read_alias(const Statement& row) {
  RowReader columns(row);
  BERTH_TRY(auto project, columns.name<ProjectName>());
  BERTH_TRY(auto name, columns.name<AliasName>());
  BERTH_TRY(auto target, columns.name<Fingerprint>());
  return ImageAlias{std::move(project), std::move(name), std::move(target), columns.text()};
}

}  // namespace

Result<void> SqliteStore::add_alias(const ImageAlias& alias) {
  BERTH_TRY(const auto target, image_row(alias.project, alias.target, daemon_principal()));
  const auto now = std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
  auto done = database_->run(
      "INSERT INTO image_aliases (uuid, project, name, owner_uid, architecture, created_at, image, description) "
      "VALUES (?,?,?,?,?,?,?,?)",
      new_uuid().str(), target.project.str(), alias.name.str(), std::int64_t{target.owner_uid}, target.architecture,
      to_column(now), target.uuid.str(), alias.description);
  if (!done && done.error().code == Code::AlreadyExists) return taken(alias.name);
  return done;
}

Result<void> SqliteStore::insert_alias(const ImageAlias& alias) {
  return write(Durability::Commit, [&] { return add_alias(alias); });
}

Result<void> SqliteStore::update_alias(const ImageAlias& alias) {
  return write(Durability::Commit, [&]() -> Result<void> {
    BERTH_TRY(const auto owner, owning_project(alias.project, ProjectFeature::Images));
    BERTH_TRY(const auto target, image_row(alias.project, alias.target, daemon_principal()));
    BERTH_CHECK(
        database_->run("UPDATE image_aliases SET image = ?, description = ?, revision = revision + 1 "
                       "WHERE project = ? AND name = ?",
                       target.uuid.str(), alias.description, owner.str(), alias.name.str()));
    if (database_->changes() == 0) return not_found(alias.name);
    return {};
  });
}

Result<void> SqliteStore::rename_alias(const ProjectName& project, const AliasName& from, const AliasName& to) {
  return write(Durability::Commit, [&]() -> Result<void> {
    BERTH_TRY(const auto owner, owning_project(project, ProjectFeature::Images));
    auto done =
        database_->run("UPDATE image_aliases SET name = ?, revision = revision + 1 WHERE project = ? AND name = ?",
                       to.str(), owner.str(), from.str());
    if (!done) return done.error().code == Code::AlreadyExists ? taken(to) : std::move(done).error();
    if (database_->changes() == 0) return not_found(from);
    return {};
  });
}

Result<void> SqliteStore::delete_alias(const ProjectName& project, const AliasName& name) {
  return write(Durability::Commit, [&]() -> Result<void> {
    BERTH_TRY(const auto owner, owning_project(project, ProjectFeature::Images));
    BERTH_CHECK(database_->run("DELETE FROM image_aliases WHERE project = ? AND name = ?", owner.str(), name.str()));
    if (database_->changes() == 0) return not_found(name);
    return {};
  });
}

Result<ImageAlias> SqliteStore::alias(const ProjectName& project, const AliasName& name) {
  return read([&]() -> Result<ImageAlias> {
    BERTH_TRY(const auto owner, owning_project(project, ProjectFeature::Images));
    BERTH_TRY(auto row, database_->query(kByName, owner.str(), name.str()));
    BERTH_TRY(const bool there, row.step());
    if (!there) return not_found(name);
    return read_alias(row);
  });
}

Result<std::vector<ImageAlias>> SqliteStore::aliases(const ProjectName& project) {
  return read([&]() -> Result<std::vector<ImageAlias>> {
    BERTH_TRY(const auto owner, owning_project(project, ProjectFeature::Images));
    std::vector<ImageAlias> out;
    BERTH_TRY(auto rows, database_->query(kOfProject, owner.str()));
    while (true) {
      BERTH_TRY(const bool there, rows.step());
      if (!there) return out;
      BERTH_TRY(auto alias, read_alias(rows));
      out.push_back(std::move(alias));
    }
  });
}

}  // namespace berth::sqlite
