#include "daemon/adapters/sqlite/sqlite_store.hpp"
#include "daemon/domain/visibility.hpp"

namespace berth::sqlite {
namespace {

const std::string kColumns =
    "SELECT i.uuid, i.project, i.fingerprint, i.type, i.location, i.owner_uid, "
    "(SELECT owner_uid FROM projects WHERE name = i.project), "
    "i.architecture, i.revision, i.created_at, i.expires_at, i.uploaded_at, i.last_used_at, i.filename, i.size, "
    "i.split, "
    "i.is_public, i.cached, i.auto_update, i.properties, i.origin, "
    "(SELECT group_concat(name, char(31)) FROM (SELECT p.name FROM image_profiles ip JOIN profiles p "
    "ON p.uuid = ip.profile WHERE ip.image = i.uuid ORDER BY ip.position)) FROM images i ";
const std::string kByFingerprint = kColumns + "WHERE i.project = ? AND i.fingerprint = ?";
const std::string kByPrefix =
    kColumns + "WHERE i.project = ? AND i.fingerprint >= ? AND i.fingerprint < ? ORDER BY i.fingerprint";
const std::string kOfProject = kColumns + "WHERE i.project = ? ORDER BY i.fingerprint";

constexpr std::string_view kInsertProfile = "INSERT INTO image_profiles (image, position, profile) VALUES (?,?,?)";
constexpr std::string_view kDeleteProfiles = "DELETE FROM image_profiles WHERE image = ?";

std::string origin_column(const Image& image) {
  if (!image.origin) return "{}";
  return to_column(ConfigMap{{"server", image.origin->server},
                             {"protocol", image.origin->protocol},
                             {"certificate", image.origin->certificate},
                             {"alias", image.origin->alias}});
}

Error not_found(const Fingerprint& fingerprint) {
  return Error{Code::NotFound, "Image \"" + fingerprint.str() + "\" not found"};
}

Result<std::optional<Image>> read_image(const Statement& row, const Principal& who, const ProjectName& asked) {
  RowReader columns(row);
  BERTH_TRY(auto uuid, columns.name<Uuid>());
  BERTH_TRY(auto project, columns.name<ProjectName>());
  BERTH_TRY(auto fingerprint, columns.name<Fingerprint>());
  Image image{.uuid = std::move(uuid), .project = std::move(project), .fingerprint = std::move(fingerprint)};
  image.type = columns.text();
  image.location = columns.text();
  image.owner_uid = columns.uid();
  if (!visible_to(who, asked, image.project, image.owner_uid, columns.uid())) return std::optional<Image>{};
  image.architecture = columns.text();
  image.revision = columns.count();
  image.created_at = columns.time();
  image.expires_at = columns.time();
  image.uploaded_at = columns.time();
  image.last_used_at = columns.time();
  image.filename = columns.text();
  image.size = columns.count();
  image.split = columns.flag();
  image.is_public = columns.flag();
  image.cached = columns.flag();
  image.auto_update = columns.flag();
  image.properties = columns.config();
  if (auto origin = columns.config(); !origin.empty())
    image.origin = ImageOrigin{origin["server"], origin["protocol"], origin["certificate"], origin["alias"]};
  BERTH_TRY(image.profiles, columns.names<ProfileName>());
  BERTH_CHECK(columns.check());
  return std::optional<Image>{std::move(image)};
}

}  // namespace

Result<std::vector<Image>> SqliteStore::image_rows(Statement rows, const Principal& who,
                                                   const ProjectName& asked) {
  std::vector<Image> out;
  while (true) {
    BERTH_TRY(const bool there, rows.step());
    if (!there) return out;
    BERTH_TRY(auto image, read_image(rows, who, asked));
    if (image) out.push_back(std::move(*image));
  }
}

Result<Image> SqliteStore::image_row(const ProjectName& project, const Fingerprint& fingerprint, const Principal& who) {
  BERTH_TRY(const auto owner, owning_project(project, ProjectFeature::Images));
  BERTH_TRY(auto row, database_->query(kByFingerprint, owner.str(), fingerprint.str()));
  BERTH_TRY(auto found, image_rows(std::move(row), who, project));
  if (found.empty()) return not_found(fingerprint);
  return std::move(found.front());
}

Result<void> SqliteStore::insert_image(const Image& image, const std::vector<ImageAlias>& aliases) {
  return write(Durability::Commit, [&]() -> Result<void> {
    BERTH_TRY(const auto project, project_row(image.project));
    auto done = database_->run(
        "INSERT INTO images (uuid, project, fingerprint, type, location, owner_uid, architecture, revision, "
        "created_at, "
        "expires_at, uploaded_at, last_used_at, filename, size, split, is_public, cached, auto_update, properties, "
        "origin) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        image.uuid.str(), effective_project(project, ProjectFeature::Images).str(), image.fingerprint.str(), image.type,
        image.location, std::int64_t{image.owner_uid}, image.architecture, static_cast<std::int64_t>(image.revision),
        to_column(image.created_at), to_column(image.expires_at), to_column(image.uploaded_at),
        to_column(image.last_used_at), image.filename, static_cast<std::int64_t>(image.size), std::int64_t{image.split},
        std::int64_t{image.is_public}, std::int64_t{image.cached}, std::int64_t{image.auto_update},
        to_column(image.properties), origin_column(image));
    if (!done) {
      if (done.error().code != Code::AlreadyExists) return done;
      return Error{Code::AlreadyExists, "Image with same fingerprint already exists"};
    }
    BERTH_CHECK(set_profiles(kInsertProfile, kDeleteProfiles, image.uuid, image.project, image.profiles));
    for (const auto& alias : aliases) BERTH_CHECK(add_alias(alias));
    return {};
  });
}

Result<std::uint64_t> SqliteStore::update_image(const Image& image, std::optional<std::uint64_t> expected_revision) {
  return write(Durability::Commit, [&]() -> Result<std::uint64_t> {
    BERTH_TRY(const auto stored, image_row(image.project, image.fingerprint, daemon_principal()));
    if (expected_revision && *expected_revision != stored.revision)
      return revision_mismatch("image", image.fingerprint.str(), stored.revision, *expected_revision);
    BERTH_CHECK(database_->run(
        "UPDATE images SET type = ?, location = ?, architecture = ?, revision = ?, expires_at = ?, last_used_at = ?, "
        "filename = ?, is_public = ?, cached = ?, auto_update = ?, properties = ?, origin = ? WHERE uuid = ?",
        image.type, image.location, image.architecture, static_cast<std::int64_t>(stored.revision + 1),
        to_column(image.expires_at), to_column(image.last_used_at), image.filename, std::int64_t{image.is_public},
        std::int64_t{image.cached}, std::int64_t{image.auto_update}, to_column(image.properties), origin_column(image), stored.uuid.str()));
    BERTH_CHECK(set_profiles(kInsertProfile, kDeleteProfiles, stored.uuid, image.project, image.profiles));
    return stored.revision + 1;
  });
}

Result<void> SqliteStore::delete_image(const ProjectName& project, const Fingerprint& fingerprint) {
  return write(Durability::Commit, [&]() -> Result<void> {
    BERTH_TRY(const auto owner, owning_project(project, ProjectFeature::Images));
    BERTH_CHECK(
        database_->run("DELETE FROM images WHERE project = ? AND fingerprint = ?", owner.str(), fingerprint.str()));
    if (database_->changes() == 0) return not_found(fingerprint);
    return {};
  });
}

Result<Image> SqliteStore::image(const Principal& who, const ProjectName& project, const Fingerprint& fingerprint) {
  return read([&] { return image_row(project, fingerprint, who); });
}

Result<std::vector<Image>> SqliteStore::images_by_prefix(const Principal& who, const ProjectName& project,
                                                         std::string_view prefix) {
  return read([&]() -> Result<std::vector<Image>> {
    BERTH_TRY(const auto owner, owning_project(project, ProjectFeature::Images));
    // Fingerprints are lower-case hexadecimal, and '~' comes after every such digit.
    BERTH_TRY(auto rows, database_->query(kByPrefix, owner.str(), prefix, std::string(prefix) + "~"));
    return image_rows(std::move(rows), who, project);
  });
}

Result<std::vector<Image>> SqliteStore::images(const Principal& who, const ProjectName& project) {
  return read([&]() -> Result<std::vector<Image>> {
    BERTH_TRY(const auto owner, owning_project(project, ProjectFeature::Images));
    BERTH_TRY(auto rows, database_->query(kOfProject, owner.str()));
    return image_rows(std::move(rows), who, project);
  });
}

Result<bool> SqliteStore::image_known(const Fingerprint& fingerprint) {
  return read([&]() -> Result<bool> {
    BERTH_TRY(auto rows, database_->query("SELECT 1 FROM images WHERE fingerprint = ? LIMIT 1", fingerprint.str()));
    return rows.step();
  });
}

Result<void> SqliteStore::touch_image(const Fingerprint& fingerprint, Timestamp last_used_at) {
  return write(Durability::Volatile, [&]() -> Result<void> {
    BERTH_CHECK(database_->run("UPDATE images SET last_used_at = ? WHERE fingerprint = ?", to_column(last_used_at),
                               fingerprint.str()));
    if (database_->changes() == 0) return not_found(fingerprint);
    return {};
  });
}

}  // namespace berth::sqlite
