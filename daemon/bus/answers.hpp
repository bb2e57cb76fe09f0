#pragma once

#include <sdbus-c++/sdbus-c++.h>

#include <optional>
#include <vector>

#include "base/object_path.hpp"
#include "base/result.hpp"
#include "daemon/bus/document_variant.hpp"
#include "daemon/bus/guard.hpp"
#include "daemon/bus/options.hpp"
#include "daemon/bus/sealed_memfd.hpp"
#include "daemon/domain/document_json.hpp"

namespace berth::bus {

/// The path of an operation that was begun.
inline Result<sdbus::ObjectPath> operation_answer(Result<OperationId> id) {
  if (!id) return std::move(id).error();
  return sdbus::ObjectPath(operation_path(*id));
}

/// The rows of a Describe method, as a sealed memfd of JSON.
inline Result<sdbus::UnixFd> rows_answer(const Result<std::vector<Document>>& rows) {
  if (!rows) return rows.error();
  BERTH_TRY(auto fd, sealed_memfd("berth-rows", to_json(*rows)));
  return give_fd(std::move(fd));
}

/// The same of rows that are JSON already.
inline Result<sdbus::UnixFd> rows_answer(const Result<std::string>& rows) {
  if (!rows) return rows.error();
  BERTH_TRY(auto fd, sealed_memfd("berth-rows", *rows));
  return give_fd(std::move(fd));
}

/// The same for a Describe method that has a single row.
inline Result<sdbus::UnixFd> row_answer(Result<Document> row) {
  if (!row) return std::move(row).error();
  std::vector<Document> rows;
  rows.push_back(*std::move(row));
  return rows_answer(std::move(rows));
}

inline Result<VariantMap> document_answer(const Result<Document>& document) {
  if (!document) return document.error();
  return to_variants(*document);
}

inline Result<sdbus::UnixFd> fd_answer(Result<UniqueFd> fd) {
  if (!fd) return std::move(fd).error();
  return give_fd(*std::move(fd));
}

/// For property getters, which answer on the spot: the error leaves as sdbus-c++'s.
template <typename Value>
Value value_or_throw(Result<Value> result) {
  if (!result) throw to_bus_error(result.error());
  return *std::move(result);
}

}  // namespace berth::bus
