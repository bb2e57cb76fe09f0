#include "daemon/services/exec_table.hpp"

namespace berth::services {

void ExecTable::add(const OperationId& id, Row row) {
  const std::lock_guard lock(mutex_);
  rows_.insert_or_assign(id, std::move(row));
}

std::optional<ExecTable::Row> ExecTable::find(const OperationId& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = rows_.find(id);
  if (found == rows_.end()) return std::nullopt;
  return found->second;
}

std::vector<OperationId> ExecTable::of(const Uuid& instance) const {
  const std::lock_guard lock(mutex_);
  std::vector<OperationId> found;
  for (const auto& [id, row] : rows_)
    if (row.instance == instance) found.push_back(id);
  return found;
}

std::optional<ExecTable::Row> ExecTable::begin(const OperationId& id) {
  const std::lock_guard lock(mutex_);
  const auto found = rows_.find(id);
  if (found == rows_.end() || found->second.begun) return std::nullopt;
  found->second.begun = true;
  return found->second;
}

std::optional<ExecTable::Row> ExecTable::take(const OperationId& id) {
  const std::lock_guard lock(mutex_);
  auto row = rows_.extract(id);
  if (row.empty()) return std::nullopt;
  return std::move(row.mapped());
}

std::optional<ExecTable::Row> ExecTable::take_deferred(const OperationId& id) {
  const std::lock_guard lock(mutex_);
  const auto found = rows_.find(id);
  if (found == rows_.end() || found->second.begun) return std::nullopt;
  return std::move(rows_.extract(found).mapped());
}

}  // namespace berth::services
