#include "daemon/services/start_table.hpp"

#include <utility>

namespace berth::services {

void StartTable::add(const Uuid& instance, Row row) {
  const std::lock_guard lock(mutex_);
  rows_.erase(instance);
  rows_.emplace(instance, std::move(row));
}

std::optional<StartTable::Row> StartTable::take(const Uuid& instance) {
  const std::lock_guard lock(mutex_);
  auto row = rows_.extract(instance);
  if (row.empty()) return std::nullopt;
  return std::move(row.mapped());
}

std::optional<StartTable::Row> StartTable::take(const Uuid& instance, const OperationId& operation) {
  const std::lock_guard lock(mutex_);
  const auto found = rows_.find(instance);
  if (found == rows_.end() || found->second.operation != operation) return std::nullopt;
  return std::move(rows_.extract(found).mapped());
}

void StartTable::add_plan(const Uuid& instance, Plan plan) {
  const std::lock_guard lock(mutex_);
  plans_.insert_or_assign(instance, std::move(plan));
}

std::optional<StartTable::Plan> StartTable::take_plan(const Uuid& instance) {
  const std::lock_guard lock(mutex_);
  auto plan = plans_.extract(instance);
  if (plan.empty()) return std::nullopt;
  return std::move(plan.mapped());
}

}  // namespace berth::services
