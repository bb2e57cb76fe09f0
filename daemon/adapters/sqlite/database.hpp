#pragma once

#include "base/result.hpp"

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace berth::sqlite {

class Database;

struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
};
using StatementHandle = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

/// One prepared statement, borrowed from its database's cache and given back when it dies. Values reach it as bound
/// parameters only. Must not outlive the database; same thread as the database.
class Statement {
 public:
  Statement(Statement&&) noexcept = default;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  /// Binds the next parameter. A failure is kept and told by the next step().
  Statement& bind(std::string_view text);
  Statement& bind(std::int64_t number);

  /// True: a row is there to be read. False: the end.
  Result<bool> step();
  /// Runs a statement that gives no rows.
  Result<void> run();

  /// Columns of the current row, from 0. The text lives until the next step().
  std::string_view text(int column) const;
  std::int64_t integer(int column) const;

 private:
  friend class Database;
  Statement(Database& database, std::string_view sql, StatementHandle handle)
      : database_(&database), sql_(sql), handle_(std::move(handle)) {}

  Database* database_;
  std::string_view sql_;
  StatementHandle handle_;
  int next_ = 1;
  int bind_result_ = SQLITE_OK;
};

/// An open database file: the only owner of the raw handle. Used by one thread at a time (its user holds a mutex).
class Database {
 public:
  /// Opens the file, made with mode 0600 when it is not there; other modes are narrowed. Foreign keys are on.
  /// Errors: Unavailable (held by another process, disk full), Internal (damaged, or not a database).
  static Result<std::unique_ptr<Database>> open(const std::string& file);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// `sql` is a literal: the cache keeps the view.
  Result<Statement> prepare(std::string_view sql);
  /// prepare() and bind every value.
  template <typename... Values>
  Result<Statement> query(std::string_view sql, const Values&... values) {
    auto statement = prepare(sql);
    if (statement) (statement->bind(values), ...);
    return statement;
  }
  /// A statement that gives no rows.
  template <typename... Values>
  Result<void> run(std::string_view sql, const Values&... values) {
    auto statement = query(sql, values...);
    if (!statement) return std::move(statement).error();
    return statement->run();
  }
  /// Several statements without parameters: a schema.
  Result<void> run_script(const char* sql);

  /// Rows that the last statement changed.
  std::int64_t changes() const;
  /// Whether each commit waits for the disk. Outside transactions only.
  Result<void> set_durable(bool durable);
  /// A complete copy in a file of its own, made by the backup API and put in place by a rename; mode 0600.
  Result<void> copy_to(const std::string& file);
  const std::string& file() const noexcept { return file_; }

  /// What SQLite's result code means to whoever asked.
  Error failure(int result) const;

 private:
  struct Close {
    void operator()(sqlite3* handle) const noexcept { sqlite3_close_v2(handle); }
  };
  friend class Statement;
  friend class Transaction;
  Database(std::string file, sqlite3* handle) : file_(std::move(file)), handle_(handle) {}
  void give_back(std::string_view sql, StatementHandle handle);

  std::string file_;
  std::unique_ptr<sqlite3, Close> handle_;
  std::unordered_map<std::string_view, StatementHandle> cache_;  // declared last: statements go before the handle
  bool durable_ = true;
};

/// Commits by commit(), rolls back by dying.
class Transaction {
 public:
  /// Takes the write lock at once, so that what was read inside stays true.
  static Result<Transaction> begin(Database& database);
  Result<void> commit();

 private:
  struct Rollback {
    void operator()(Database* database) const noexcept;
  };
  explicit Transaction(Database& database) : database_(&database) {}
  std::unique_ptr<Database, Rollback> database_;
};

}  // namespace berth::sqlite
