#include "daemon/adapters/sqlite/database.hpp"

#include "base/unique_fd.hpp"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace berth::sqlite {
namespace {

/// Another process may hold the file for a moment (a person's sqlite3, a backup program).
constexpr int kBusyMilliseconds = 5000;

/// SQLite gives its -wal and -shm files the mode of the database file, so the file is made before SQLite opens it.
Result<void> make_private_file(const std::string& file) {
  const UniqueFd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return system_error("cannot open the database " + file, errno);
  if (fchmod(fd.get(), 0600) != 0) return system_error("cannot protect the database " + file, errno);
  return {};
}

Result<void> sync_folder_of(const std::string& file) {
  const auto slash = file.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : file.substr(0, slash + 1);
  const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || fsync(fd.get()) != 0) return system_error("cannot sync the folder " + folder, errno);
  return {};
}

}  // namespace

Statement::~Statement() {
  if (!handle_) return;
  sqlite3_reset(handle_.get());
  sqlite3_clear_bindings(handle_.get());
  database_->give_back(sql_, std::move(handle_));
}

Statement& Statement::bind(std::string_view text) {
  // A null pointer would bind NULL; an empty view may have one.
  const char* start = text.data() == nullptr ? "" : text.data();
  const int result = sqlite3_bind_text64(handle_.get(), next_++, start, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  if (result != SQLITE_OK) bind_result_ = result;
  return *this;
}

Statement& Statement::bind(std::int64_t number) {
  const int result = sqlite3_bind_int64(handle_.get(), next_++, number);
  if (result != SQLITE_OK) bind_result_ = result;
  return *this;
}

Result<bool> Statement::step() {
  if (bind_result_ != SQLITE_OK) return database_->failure(bind_result_);
  const int result = sqlite3_step(handle_.get());
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  return database_->failure(result);
}

Result<void> Statement::run() {
  auto row = step();
  while (row && *row) row = step();
  if (!row) return std::move(row).error();
  return {};
}

std::string_view Statement::text(int column) const {
  const auto* bytes = sqlite3_column_blob(handle_.get(), column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column));
  return bytes == nullptr ? std::string_view{} : std::string_view{static_cast<const char*>(bytes), size};
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(handle_.get(), column); }

Result<std::unique_ptr<Database>> Database::open(const std::string& file) {
  BERTH_CHECK(make_private_file(file));
  sqlite3* raw = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int opened = sqlite3_open_v2(file.c_str(), &raw, flags, nullptr);
  std::unique_ptr<Database> database(new Database(file, raw));
  if (opened != SQLITE_OK) return database->failure(opened);
  sqlite3_busy_timeout(raw, kBusyMilliseconds);
  // A damaged or hostile file must not make SQLite call functions or write to its own schema.
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  BERTH_CHECK(database->run_script("PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"));
  return database;
}

Result<Statement> Database::prepare(std::string_view sql) {
  if (auto cached = cache_.extract(sql)) return Statement{*this, sql, std::move(cached.mapped())};
  sqlite3_stmt* raw = nullptr;
  const int result = sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  StatementHandle handle(raw);
  if (result != SQLITE_OK) return failure(result);
  return Statement{*this, sql, std::move(handle)};
}

void Database::give_back(std::string_view sql, StatementHandle handle) {
  cache_.insert_or_assign(sql, std::move(handle));
}

Result<void> Database::run_script(const char* sql) {
  const int result = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) return failure(result);
  return {};
}

std::int64_t Database::changes() const { return sqlite3_changes64(handle_.get()); }

Result<void> Database::set_durable(bool durable) {
  if (durable == durable_) return {};
  BERTH_CHECK(run_script(durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL"));
  durable_ = durable;
  return {};
}

Result<void> Database::copy_to(const std::string& file) {
  const std::string unfinished = file + ".unfinished";
  if (unlink(unfinished.c_str()) != 0 && errno != ENOENT) return system_error("cannot remove " + unfinished, errno);
  BERTH_CHECK(make_private_file(unfinished));
  {
    sqlite3* raw = nullptr;
    const int opened =
        sqlite3_open_v2(unfinished.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE, nullptr);
    const Database copy(unfinished, raw);
    if (opened != SQLITE_OK) return copy.failure(opened);
    auto* backup = sqlite3_backup_init(raw, "main", handle_.get(), "main");
    if (backup == nullptr) return copy.failure(sqlite3_extended_errcode(raw));
    const int stepped = sqlite3_backup_step(backup, -1);
    const int finished = sqlite3_backup_finish(backup);
    if (stepped != SQLITE_DONE) return copy.failure(stepped);
    if (finished != SQLITE_OK) return copy.failure(finished);
  }
  if (rename(unfinished.c_str(), file.c_str()) != 0) return system_error("cannot name the copy " + file, errno);
  return sync_folder_of(file);
}

Error Database::failure(int result) const {
  const std::string text = handle_ && sqlite3_extended_errcode(handle_.get()) == result ? sqlite3_errmsg(handle_.get())
                                                                                        : sqlite3_errstr(result);
  if (result == SQLITE_CONSTRAINT_UNIQUE || result == SQLITE_CONSTRAINT_PRIMARYKEY)
    return Error{Code::AlreadyExists, "The database has such a row already: " + text};
  switch (result & 0xff) {
    case SQLITE_FULL:
      return Error{Code::Unavailable, "The disk of the database " + file_ + " is full: make room and try again"};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Error{Code::Unavailable, "The database " + file_ + " is held by another process: end it and try again"};
    case SQLITE_READONLY:
    case SQLITE_PERM: return Error{Code::Unavailable, "The database " + file_ + " cannot be written: " + text};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Error{Code::Internal, "The database " + file_ + " is damaged (" + text + "): put a copy (" + file_ +
                                       ".before-v*) in its place"};
    default: return Error{Code::Internal, "The database " + file_ + " failed: " + text};
  }
}

Result<Transaction> Transaction::begin(Database& database) {
  BERTH_CHECK(database.run("BEGIN IMMEDIATE"));
  return Transaction{database};
}

Result<void> Transaction::commit() {
  // On failure the database is still owned here, and is rolled back.
  BERTH_CHECK(database_->run("COMMIT"));
  (void)database_.release();
  return {};
}

void Transaction::Rollback::operator()(Database* database) const noexcept {
  // SQLite rolls back by itself after some failures (a full disk); then there is nothing to roll back, which is no
  // error.
  (void)sqlite3_exec(database->handle_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

}  // namespace berth::sqlite
