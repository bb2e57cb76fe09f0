#include "daemon/adapters/sqlite/sqlite_store.hpp"

namespace berth::sqlite {
namespace {

constexpr std::string_view kAll =
    "SELECT c.uuid, c.fingerprint, c.type, c.name, c.pem, c.valid_from, c.valid_until, c.restricted, "
    "(SELECT group_concat(project, char(31)) FROM (SELECT project FROM certificate_projects WHERE certificate = c.uuid "
    "ORDER BY position)), c.owner_uid, c.revision, c.created_at FROM certificates c ORDER BY c.fingerprint";

Error not_found() { return Error{Code::NotFound, "Certificate not found"}; }
Error known() { return Error{Code::AlreadyExists, "Certificate already in trust store"}; }

Result<Certificate> read_certificate(const Statement& row) {
  RowReader columns(row);
  BERTH_TRY(auto uuid, columns.name<Uuid>());
  BERTH_TRY(auto fingerprint, columns.name<Fingerprint>());
  Certificate certificate{.uuid = std::move(uuid), .fingerprint = std::move(fingerprint)};
  certificate.type = columns.text();
  certificate.name = columns.text();
  certificate.pem = columns.text();
  certificate.valid_from = columns.time();
  certificate.valid_until = columns.time();
  certificate.restricted = columns.flag();
  BERTH_TRY(certificate.projects, columns.names<ProjectName>());
  certificate.owner_uid = columns.uid();
  certificate.revision = columns.count();
  certificate.created_at = columns.time();
  return certificate;
}

}  // namespace

Result<void> SqliteStore::set_certificate_projects(const Certificate& given) {
  BERTH_CHECK(database_->run("DELETE FROM certificate_projects WHERE certificate = ?", given.uuid.str()));
  std::int64_t position = 0;
  for (const auto& project : given.projects) {
    BERTH_CHECK(project_row(project));
    BERTH_CHECK(database_->run("INSERT INTO certificate_projects (certificate, position, project) VALUES (?,?,?)",
                               given.uuid.str(), position++, project.str()));
  }
  return {};
}

Result<void> SqliteStore::insert_certificate(const Certificate& given) {
  return write(Durability::Commit, [&]() -> Result<void> {
    auto done = database_->run(
        "INSERT INTO certificates (uuid, fingerprint, type, name, pem, valid_from, valid_until, restricted, "
        "owner_uid, revision, created_at) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
        given.uuid.str(), given.fingerprint.str(), given.type, given.name, given.pem, to_column(given.valid_from),
        to_column(given.valid_until), std::int64_t{given.restricted}, std::int64_t{given.owner_uid},
        static_cast<std::int64_t>(given.revision), to_column(given.created_at));
    if (!done) return done.error().code == Code::AlreadyExists ? known() : std::move(done).error();
    return set_certificate_projects(given);
  });
}

Result<std::uint64_t> SqliteStore::update_certificate(const Certificate& given,
                                                      std::optional<std::uint64_t> expected_revision) {
  return write(Durability::Commit, [&]() -> Result<std::uint64_t> {
    BERTH_TRY(auto row, database_->query("SELECT revision FROM certificates WHERE uuid = ?", given.uuid.str()));
    BERTH_TRY(const bool there, row.step());
    if (!there) return not_found();
    const auto revision = static_cast<std::uint64_t>(row.integer(0));
    if (expected_revision && *expected_revision != revision)
      return Error{Code::RevisionMismatch, "Certificate " + given.fingerprint.str() + " has changed meanwhile"};
    auto done = database_->run(
        "UPDATE certificates SET fingerprint = ?, type = ?, name = ?, pem = ?, valid_from = ?, valid_until = ?, "
        "restricted = ?, revision = revision + 1 WHERE uuid = ?",
        given.fingerprint.str(), given.type, given.name, given.pem, to_column(given.valid_from),
        to_column(given.valid_until), std::int64_t{given.restricted}, given.uuid.str());
    if (!done) return done.error().code == Code::AlreadyExists ? known() : std::move(done).error();
    BERTH_CHECK(set_certificate_projects(given));
    return revision + 1;
  });
}

Result<void> SqliteStore::delete_certificate(const Uuid& uuid) {
  return write(Durability::Commit, [&]() -> Result<void> {
    BERTH_CHECK(database_->run("DELETE FROM certificates WHERE uuid = ?", uuid.str()));
    if (database_->changes() == 0) return not_found();
    return {};
  });
}

Result<std::vector<Certificate>> SqliteStore::certificates() {
  return read([&]() -> Result<std::vector<Certificate>> {
    std::vector<Certificate> out;
    BERTH_TRY(auto rows, database_->query(kAll));
    while (true) {
      BERTH_TRY(const bool there, rows.step());
      if (!there) return out;
      BERTH_TRY(auto certificate, read_certificate(rows));
      out.push_back(std::move(certificate));
    }
  });
}

}  // namespace berth::sqlite
