#pragma once

#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "base/names.hpp"
#include "base/result.hpp"
#include "daemon/ports/container_runtime.hpp"
#include "daemon/services/entity_locks.hpp"

namespace berth::services {

/// What starts leave for the other hands that bring them to their end. Any thread.
class StartTable {
 public:
  /// A start that nobody asked Berth for (`systemctl start`) keeps its operation and the instance's lock until the container
  /// runs or has failed to.
  struct Row {
    OperationId operation;
    EntityLocks::Guard lock;
  };

  void add(const Uuid& instance, Row row);
  std::optional<Row> take(const Uuid& instance);
  /// The same, only if it is still that start.
  std::optional<Row> take(const Uuid& instance, const OperationId& operation);

  /// The plan of a start of Berth's own, which is made while its supervisor comes up.
  using Plan = std::future<Result<ports::StartPlan>>;
  void add_plan(const Uuid& instance, Plan plan);
  std::optional<Plan> take_plan(const Uuid& instance);

 private:
  std::mutex mutex_;
  std::map<Uuid, Row> rows_;
  std::map<Uuid, Plan> plans_;
};

}  // namespace berth::services
