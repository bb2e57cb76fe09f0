#include "daemon/adapters/sqlite/schema.hpp"

#include <array>
#include <string>

namespace berth::sqlite {
namespace {

/// "Brth" in ASCII: tells our files from other programs' (file(1) and we read it).
constexpr std::int64_t kApplicationId = 0x42727468;

// Every entity has uuid, project, type, location, owner_uid, architecture, revision and created_at, so that projects,
// restricted users and clusters need no other tables than these. Times are microseconds since the epoch.
constexpr const char* kFirstSchema = R"sql(
CREATE TABLE projects (
  uuid TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL UNIQUE, type TEXT NOT NULL DEFAULT 'project',
  location TEXT NOT NULL DEFAULT 'none', owner_uid INTEGER NOT NULL, architecture TEXT NOT NULL DEFAULT '',
  revision INTEGER NOT NULL, created_at INTEGER NOT NULL,
  description TEXT NOT NULL, config TEXT NOT NULL
);

CREATE TABLE storage_pools (
  uuid TEXT NOT NULL PRIMARY KEY, project TEXT NOT NULL DEFAULT 'default' REFERENCES projects(name) ON UPDATE CASCADE,
  name TEXT NOT NULL UNIQUE, type TEXT NOT NULL DEFAULT 'storage-pool', location TEXT NOT NULL DEFAULT 'none',
  owner_uid INTEGER NOT NULL DEFAULT 0, architecture TEXT NOT NULL DEFAULT '',
  revision INTEGER NOT NULL, created_at INTEGER NOT NULL,
  driver TEXT NOT NULL, description TEXT NOT NULL, config TEXT NOT NULL
);

CREATE TABLE profiles (
  uuid TEXT NOT NULL PRIMARY KEY, project TEXT NOT NULL REFERENCES projects(name) ON UPDATE CASCADE, name TEXT NOT NULL,
  type TEXT NOT NULL DEFAULT 'profile', location TEXT NOT NULL DEFAULT 'none', owner_uid INTEGER NOT NULL,
  architecture TEXT NOT NULL DEFAULT '', revision INTEGER NOT NULL, created_at INTEGER NOT NULL,
  description TEXT NOT NULL, config TEXT NOT NULL, devices TEXT NOT NULL,
  UNIQUE (project, name)
);

CREATE TABLE instances (
  uuid TEXT NOT NULL PRIMARY KEY, project TEXT NOT NULL REFERENCES projects(name) ON UPDATE CASCADE, name TEXT NOT NULL,
  type TEXT NOT NULL, location TEXT NOT NULL, owner_uid INTEGER NOT NULL, architecture TEXT NOT NULL,
  revision INTEGER NOT NULL, created_at INTEGER NOT NULL, last_used_at INTEGER NOT NULL,
  ephemeral INTEGER NOT NULL, description TEXT NOT NULL,
  pool TEXT NOT NULL REFERENCES storage_pools(name) ON UPDATE CASCADE,
  config TEXT NOT NULL, devices TEXT NOT NULL,
  UNIQUE (project, name)
);

CREATE TABLE instance_profiles (
  instance TEXT NOT NULL REFERENCES instances(uuid) ON DELETE CASCADE,
  position INTEGER NOT NULL, profile TEXT NOT NULL REFERENCES profiles(uuid),
  PRIMARY KEY (instance, position)
) WITHOUT ROWID;
CREATE INDEX instance_profiles_by_profile ON instance_profiles (profile);

CREATE TABLE images (
  uuid TEXT NOT NULL PRIMARY KEY, project TEXT NOT NULL REFERENCES projects(name) ON UPDATE CASCADE, fingerprint TEXT NOT NULL,
  type TEXT NOT NULL, location TEXT NOT NULL, owner_uid INTEGER NOT NULL, architecture TEXT NOT NULL,
  revision INTEGER NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, uploaded_at INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL, filename TEXT NOT NULL, size INTEGER NOT NULL, split INTEGER NOT NULL,
  is_public INTEGER NOT NULL, cached INTEGER NOT NULL, auto_update INTEGER NOT NULL, properties TEXT NOT NULL,
  UNIQUE (project, fingerprint)
);
CREATE INDEX images_by_fingerprint ON images (fingerprint);

CREATE TABLE image_profiles (
  image TEXT NOT NULL REFERENCES images(uuid) ON DELETE CASCADE,
  position INTEGER NOT NULL, profile TEXT NOT NULL REFERENCES profiles(uuid) ON DELETE CASCADE,
  PRIMARY KEY (image, position)
) WITHOUT ROWID;
CREATE INDEX image_profiles_by_profile ON image_profiles (profile);

CREATE TABLE image_aliases (
  uuid TEXT NOT NULL PRIMARY KEY, project TEXT NOT NULL REFERENCES projects(name) ON UPDATE CASCADE, name TEXT NOT NULL,
  type TEXT NOT NULL DEFAULT 'container', location TEXT NOT NULL DEFAULT 'none', owner_uid INTEGER NOT NULL,
  architecture TEXT NOT NULL DEFAULT '', revision INTEGER NOT NULL DEFAULT 1, created_at INTEGER NOT NULL,
  image TEXT NOT NULL REFERENCES images(uuid) ON DELETE CASCADE, description TEXT NOT NULL,
  UNIQUE (project, name)
);
CREATE INDEX image_aliases_by_image ON image_aliases (image);

CREATE TABLE server_config (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE intents (
  id TEXT PRIMARY KEY, verb TEXT NOT NULL, object TEXT NOT NULL, detail TEXT NOT NULL, created_at INTEGER NOT NULL
) WITHOUT ROWID;
)sql";

constexpr const char* kTrustSchema = R"sql(
CREATE TABLE certificates (
  uuid TEXT NOT NULL PRIMARY KEY, project TEXT NOT NULL DEFAULT 'default' REFERENCES projects(name) ON UPDATE CASCADE,
  fingerprint TEXT NOT NULL UNIQUE, type TEXT NOT NULL, location TEXT NOT NULL DEFAULT 'none',
  owner_uid INTEGER NOT NULL, architecture TEXT NOT NULL DEFAULT '', revision INTEGER NOT NULL, created_at INTEGER NOT NULL,
  name TEXT NOT NULL, pem TEXT NOT NULL, valid_from INTEGER NOT NULL, valid_until INTEGER NOT NULL,
  restricted INTEGER NOT NULL, projects TEXT NOT NULL
);
)sql";

// The project of a snapshot is its instance's. The profiles are names, joined as a query joins them: one may be deleted
// while a snapshot remembers it.
constexpr const char* kSnapshots = R"sql(
CREATE TABLE instance_snapshots (
  uuid TEXT NOT NULL PRIMARY KEY, instance TEXT NOT NULL REFERENCES instances(uuid) ON DELETE CASCADE, name TEXT NOT NULL,
  type TEXT NOT NULL DEFAULT 'instance-snapshot', location TEXT NOT NULL DEFAULT 'none',
  owner_uid INTEGER NOT NULL DEFAULT 0, architecture TEXT NOT NULL, revision INTEGER NOT NULL, created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL, ephemeral INTEGER NOT NULL, stateful INTEGER NOT NULL DEFAULT 0,
  profiles TEXT NOT NULL, config TEXT NOT NULL, devices TEXT NOT NULL,
  UNIQUE (instance, name)
);
CREATE INDEX instance_snapshots_by_expiry ON instance_snapshots (expires_at) WHERE expires_at > 0;
)sql";

// The project `default` has had everything of its own all along; from here on it says so.
constexpr const char* kDefaultFeatures = R"sql(
UPDATE projects SET config = json_patch(
  '{"features.images":"true","features.networks":"true","features.profiles":"true","features.storage.volumes":"true"}', config)
WHERE name = 'default';
)sql";

// The projects of a restricted certificate follow their own rows: renamed with them, and gone with them.
constexpr const char* kCertificateProjects = R"sql(
CREATE TABLE certificate_projects (
  certificate TEXT NOT NULL REFERENCES certificates(uuid) ON DELETE CASCADE,
  position INTEGER NOT NULL, project TEXT NOT NULL REFERENCES projects(name) ON UPDATE CASCADE ON DELETE CASCADE,
  PRIMARY KEY (certificate, position)
) WITHOUT ROWID;
CREATE INDEX certificate_projects_by_project ON certificate_projects (project);
INSERT INTO certificate_projects (certificate, position, project)
  SELECT c.uuid, named.key, p.name FROM certificates c
  JOIN json_each('["' || replace(c.projects, char(31), '","') || '"]') named JOIN projects p ON p.name = named.value
  WHERE c.projects <> '';
ALTER TABLE certificates DROP COLUMN projects;
)sql";

// Where an image came from: `{}`, or its server, protocol, certificate and alias there.
constexpr const char* kImageOrigins = R"sql(
ALTER TABLE images ADD COLUMN origin TEXT NOT NULL DEFAULT '{}';
)sql";

constexpr std::array kMigrations{Migration{1, kFirstSchema}, Migration{2, kTrustSchema}, Migration{3, kSnapshots},
                                 Migration{4, kDefaultFeatures}, Migration{5, kCertificateProjects}, Migration{6, kImageOrigins}};

Result<std::int64_t> number(Database& database, std::string_view sql) {
  BERTH_TRY(auto row, database.query(sql));
  BERTH_TRY(const bool there, row.step());
  return there ? row.integer(0) : 0;
}

/// Pragmas take no parameters; the number is ours.
Result<void> set_pragma(Database& database, const std::string& name, std::int64_t value) {
  return database.run_script(("PRAGMA " + name + "=" + std::to_string(value)).c_str());
}

Result<void> check_references(Database& database) {
  BERTH_TRY(auto rows, database.query("PRAGMA foreign_key_check"));
  BERTH_TRY(const bool broken, rows.step());
  if (broken)
    return Error{Code::Internal,
                 "A row of " + std::string(rows.text(0)) + " would refer to nothing after the migration"};
  return {};
}

}  // namespace

std::span<const Migration> migrations() { return kMigrations; }

Result<SchemaAge> migrate(Database& database, std::span<const Migration> steps) {
  BERTH_TRY(const auto application, number(database, "PRAGMA application_id"));
  BERTH_TRY(const auto version, number(database, "PRAGMA user_version"));
  BERTH_TRY(const auto tables, number(database, "SELECT count(*) FROM sqlite_schema"));
  if (tables > 0 && application != kApplicationId)
    return Error{Code::Internal, "The file " + database.file() + " is another program's database: move it away"};
  const int newest = steps.back().version;
  if (version > newest) return SchemaAge::Newer;
  BERTH_CHECK(database.run_script("PRAGMA journal_mode=WAL"));
  if (version == newest) return SchemaAge::Current;
  if (tables > 0) BERTH_CHECK(database.copy_to(database.file() + ".before-v" + std::to_string(newest)));

  BERTH_TRY(auto transaction, Transaction::begin(database));
  BERTH_CHECK(database.run_script("PRAGMA defer_foreign_keys=ON"));
  for (const auto& step : steps) {
    if (step.version <= version) continue;
    if (auto done = database.run_script(step.sql); !done)
      return std::move(done).error().within("migration of the database to schema " + std::to_string(step.version));
  }
  BERTH_CHECK(check_references(database));
  BERTH_CHECK(set_pragma(database, "application_id", kApplicationId));
  BERTH_CHECK(set_pragma(database, "user_version", newest));
  BERTH_CHECK(transaction.commit());
  return SchemaAge::Current;
}

}  // namespace berth::sqlite
