#pragma once

#include "base/result.hpp"
#include "daemon/adapters/sqlite/database.hpp"

#include <span>

namespace berth::sqlite {

/// One step of the schema: what takes it from `version - 1` to `version`.
struct Migration {
  int version;
  const char* sql;
};

/// Every step there has ever been, in order, from an empty file on.
std::span<const Migration> migrations();

/// How an opened database may be used.
enum class SchemaAge {
  Current,
  Newer,  ///< a later Berth wrote it: read, never write
};

/// Brings the schema up to the last of `steps` in one transaction. A database that had content is first copied to
/// `FILE.before-vN`, N being the version it gets. On error the file is as it was.
Result<SchemaAge> migrate(Database& database, std::span<const Migration> steps);

}  // namespace berth::sqlite
