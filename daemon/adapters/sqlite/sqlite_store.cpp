#include "daemon/adapters/sqlite/sqlite_store.hpp"

#include <cerrno>
#include <chrono>
#include <sys/stat.h>

namespace berth::sqlite {
namespace {

constexpr std::string_view kPoolColumns =
    "SELECT uuid, name, driver, description, revision, created_at, config FROM storage_pools ";

Timestamp now() { return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now()); }

/// 0700 for root alone (rule 17), whoever made it.
Result<void> make_private_folder(const std::string& folder) {
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return system_error("cannot make the folder " + folder, errno);
  if (chmod(folder.c_str(), 0700) != 0) return system_error("cannot protect the folder " + folder, errno);
  return {};
}

Result<void> make_default_project(Database& database) {
  return database.run(
      "INSERT INTO projects (uuid, name, owner_uid, revision, created_at, description, config) "
      "VALUES (?, 'default', 0, 1, ?, 'Default LXD project', ?) ON CONFLICT (name) DO NOTHING",
      new_uuid().str(), to_column(now()),
      to_column(ConfigMap{{"features.images", "true"},
                          {"features.networks", "true"},
                          {"features.profiles", "true"},
                          {"features.storage.volumes", "true"}}));
}

Result<StoragePool> read_pool(const Statement& row) {
  RowReader columns(row);
  BERTH_TRY(auto uuid, columns.name<Uuid>());
  BERTH_TRY(auto name, columns.name<PoolName>());
  StoragePool pool{.uuid = std::move(uuid), .name = std::move(name)};
  pool.driver = columns.text();
  pool.description = columns.text();
  pool.revision = columns.count();
  pool.created_at = columns.time();
  pool.config = columns.config();
  BERTH_CHECK(columns.check());
  return pool;
}

}  // namespace

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::string& folder) {
  BERTH_CHECK(make_private_folder(folder));
  BERTH_TRY(auto database, Database::open(folder + "/berth.db"));
  BERTH_TRY(const auto age, migrate(*database, migrations()));
  if (age == SchemaAge::Newer) {
    BERTH_CHECK(database->run_script("PRAGMA query_only=ON"));
  } else {
    BERTH_CHECK(make_default_project(*database));
  }
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(database), age));
}

Result<void> SqliteStore::check_writable() const {
  if (age_ == SchemaAge::Current) return {};
  return Error{Code::Unavailable,
               "The database " + database_->file() +
                   " was written by a newer version of Berth and is read-only to this one: upgrade Berth"};
}

Result<void> SqliteStore::check_pool(const PoolName& name) {
  BERTH_TRY(auto row, database_->query("SELECT 1 FROM storage_pools WHERE name = ?", name.str()));
  BERTH_TRY(const bool there, row.step());
  if (!there) return Error{Code::NotFound, "Storage pool \"" + name.str() + "\" not found"};
  return {};
}

Result<void> SqliteStore::insert_pool(const StoragePool& pool) {
  auto inserted = write(Durability::Commit, [&]() -> Result<void> {
    auto done = database_->run(
        "INSERT INTO storage_pools (uuid, name, driver, description, revision, created_at, config) VALUES "
        "(?,?,?,?,?,?,?)",
        pool.uuid.str(), pool.name.str(), pool.driver, pool.description, static_cast<std::int64_t>(pool.revision),
        to_column(pool.created_at), to_column(pool.config));
    if (!done && done.error().code == Code::AlreadyExists)
      return Error{Code::AlreadyExists, "Storage pool \"" + pool.name.str() + "\" already exists"};
    return done;
  });
  pools_.changed_to(std::nullopt);
  return inserted;
}

Result<StoragePool> SqliteStore::pool(const PoolName& name) {
  return read([&]() -> Result<StoragePool> {
    static const std::string sql = std::string(kPoolColumns) + "WHERE name = ?";
    BERTH_TRY(auto row, database_->query(sql, name.str()));
    BERTH_TRY(const bool there, row.step());
    if (!there) return Error{Code::NotFound, "Storage pool \"" + name.str() + "\" not found"};
    return read_pool(row);
  });
}

Result<std::vector<StoragePool>> SqliteStore::pools() {
  return pools_.get([this] { return read_pools(); });
}

Result<std::vector<StoragePool>> SqliteStore::read_pools() {
  return read([&]() -> Result<std::vector<StoragePool>> {
    static const std::string sql = std::string(kPoolColumns) + "ORDER BY name";
    std::vector<StoragePool> out;
    BERTH_TRY(auto rows, database_->query(sql));
    while (true) {
      BERTH_TRY(const bool there, rows.step());
      if (!there) return out;
      BERTH_TRY(auto pool, read_pool(rows));
      out.push_back(std::move(pool));
    }
  });
}

Result<ConfigMap> SqliteStore::server_config() {
  return server_config_.get([this] { return read_server_config(); });
}

Result<ConfigMap> SqliteStore::read_server_config() {
  return read([&]() -> Result<ConfigMap> {
    ConfigMap config;
    BERTH_TRY(auto rows, database_->query("SELECT key, value FROM server_config"));
    while (true) {
      BERTH_TRY(const bool there, rows.step());
      if (!there) return config;
      config.emplace(rows.text(0), rows.text(1));
    }
  });
}

Result<void> SqliteStore::set_server_config(const ConfigMap& config) {
  auto written = write(Durability::Commit, [&]() -> Result<void> {
    BERTH_CHECK(database_->run("DELETE FROM server_config"));
    for (const auto& [key, value] : config)
      BERTH_CHECK(database_->run("INSERT INTO server_config (key, value) VALUES (?,?)", key, value));
    return {};
  });
  if (written) server_config_.changed_to(config);
  return written;
}

Result<void> SqliteStore::begin_intent(const ports::Intent& intent) {
  return write(Durability::Commit, [&]() -> Result<void> {
    auto done =
        database_->run("INSERT INTO intents (id, verb, object, detail, created_at) VALUES (?,?,?,?,?)", intent.id.str(),
                       intent.verb, intent.object, intent.detail, to_column(intent.created_at));
    if (!done && done.error().code == Code::AlreadyExists)
      return Error{Code::AlreadyExists, "Intent " + intent.id.str() + " already exists"};
    return done;
  });
}

/// An intent that comes back after a power cut is finished again by reconcile, which is harmless: no fsync for that.
Result<void> SqliteStore::end_intent(const Uuid& id) {
  return write(Durability::Volatile,
               [&]() -> Result<void> { return database_->run("DELETE FROM intents WHERE id = ?", id.str()); });
}

Result<std::vector<ports::Intent>> SqliteStore::intents() {
  return read([&]() -> Result<std::vector<ports::Intent>> {
    std::vector<ports::Intent> out;
    BERTH_TRY(auto rows, database_->query("SELECT id, verb, object, detail, created_at FROM intents "
                                          "ORDER BY created_at, id"));
    while (true) {
      BERTH_TRY(const bool there, rows.step());
      if (!there) return out;
      RowReader columns(rows);
      BERTH_TRY(auto id, columns.name<Uuid>());
      ports::Intent intent{.id = std::move(id), .verb = columns.text(), .object = columns.text()};
      intent.detail = columns.text();
      intent.created_at = columns.time();
      out.push_back(std::move(intent));
    }
  });
}

}  // namespace berth::sqlite
