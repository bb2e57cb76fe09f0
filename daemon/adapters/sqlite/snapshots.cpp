#include "daemon/adapters/sqlite/sqlite_store.hpp"

namespace berth::sqlite {
namespace {

const std::string kColumns =
    "SELECT uuid, instance, name, revision, created_at, expires_at, architecture, ephemeral, profiles, config, devices "
    "FROM instance_snapshots ";
const std::string kOfInstance = kColumns + "WHERE instance = ? ORDER BY created_at, name";
const std::string kAll = kColumns + "ORDER BY created_at, name";

Error not_found(const std::string& name) { return Error{Code::NotFound, "Snapshot \"" + name + "\" not found"}; }

Error taken(const Snapshot& snapshot) {
  return Error{Code::AlreadyExists, "Snapshot \"" + snapshot.name.str() + "\" already exists"};
}

std::string joined(const std::vector<ProfileName>& names) {
  std::string out;
  for (const auto& name : names) {
    if (!out.empty()) out += RowReader::kListSeparator;
    out += name.str();
  }
  return out;
}

Result<Snapshot> read_snapshot(const Statement& row) {
  RowReader columns(row);
  BERTH_TRY(auto uuid, columns.name<Uuid>());
  BERTH_TRY(auto instance, columns.name<Uuid>());
  BERTH_TRY(auto name, columns.name<SnapshotName>());
  Snapshot snapshot{.uuid = std::move(uuid), .instance = std::move(instance), .name = std::move(name)};
  snapshot.revision = columns.count();
  snapshot.created_at = columns.time();
  snapshot.expires_at = columns.time();
  snapshot.architecture = columns.text();
  snapshot.ephemeral = columns.flag();
  BERTH_TRY(snapshot.profiles, columns.names<ProfileName>());
  snapshot.config = columns.config();
  snapshot.devices = columns.devices();
  BERTH_CHECK(columns.check());
  return snapshot;
}

}  // namespace

Result<void> SqliteStore::add_snapshot(const Snapshot& snapshot) {
  BERTH_TRY(auto row, database_->query("SELECT 1 FROM instances WHERE uuid = ?", snapshot.instance.str()));
  BERTH_TRY(const bool there, row.step());
  if (!there) return Error{Code::NotFound, "Instance \"" + snapshot.instance.str() + "\" not found"};
  auto done = database_->run(
      "INSERT INTO instance_snapshots (uuid, instance, name, revision, created_at, expires_at, architecture, ephemeral, "
      "profiles, config, devices) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
      snapshot.uuid.str(), snapshot.instance.str(), snapshot.name.str(), static_cast<std::int64_t>(snapshot.revision),
      to_column(snapshot.created_at), to_column(snapshot.expires_at), snapshot.architecture,
      std::int64_t{snapshot.ephemeral}, joined(snapshot.profiles), to_column(snapshot.config),
      to_column(snapshot.devices));
  if (!done && done.error().code == Code::AlreadyExists) return taken(snapshot);
  return done;
}

Result<void> SqliteStore::insert_snapshot(const Snapshot& snapshot) {
  return write(Durability::Commit, [&] { return add_snapshot(snapshot); });
}

Result<void> SqliteStore::insert_instance_with_snapshots(const Instance& instance,
                                                         const std::vector<Snapshot>& snapshots) {
  return write(Durability::Commit, [&]() -> Result<void> {
    BERTH_CHECK(add_instance(instance));
    for (const auto& snapshot : snapshots) BERTH_CHECK(add_snapshot(snapshot));
    return {};
  });
}

Result<std::uint64_t> SqliteStore::update_snapshot(const Snapshot& snapshot,
                                                   std::optional<std::uint64_t> expected_revision) {
  return write(Durability::Commit, [&]() -> Result<std::uint64_t> {
    BERTH_TRY(auto row,
              database_->query("SELECT revision FROM instance_snapshots WHERE uuid = ?", snapshot.uuid.str()));
    BERTH_TRY(const bool there, row.step());
    if (!there) return not_found(snapshot.name.str());
    const auto stored = static_cast<std::uint64_t>(row.integer(0));
    if (expected_revision && *expected_revision != stored)
      return revision_mismatch("snapshot", snapshot.name.str(), stored, *expected_revision);
    auto done = database_->run("UPDATE instance_snapshots SET name = ?, expires_at = ?, revision = ? WHERE uuid = ?",
                               snapshot.name.str(), to_column(snapshot.expires_at),
                               static_cast<std::int64_t>(stored + 1), snapshot.uuid.str());
    if (!done) return done.error().code == Code::AlreadyExists ? taken(snapshot) : std::move(done).error();
    return stored + 1;
  });
}

Result<void> SqliteStore::delete_snapshot(const Uuid& uuid) {
  return write(Durability::Commit, [&]() -> Result<void> {
    BERTH_CHECK(database_->run("DELETE FROM instance_snapshots WHERE uuid = ?", uuid.str()));
    if (database_->changes() == 0) return not_found(uuid.str());
    return {};
  });
}

Result<std::vector<Snapshot>> SqliteStore::snapshots(const std::optional<Uuid>& instance) {
  return read([&]() -> Result<std::vector<Snapshot>> {
    auto rows = instance ? database_->query(kOfInstance, instance->str()) : database_->query(kAll);
    if (!rows) return std::move(rows).error();
    std::vector<Snapshot> out;
    while (true) {
      BERTH_TRY(const bool there, rows->step());
      if (!there) return out;
      BERTH_TRY(auto snapshot, read_snapshot(*rows));
      out.push_back(std::move(snapshot));
    }
  });
}

}  // namespace berth::sqlite
