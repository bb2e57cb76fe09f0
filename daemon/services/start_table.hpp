#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "base/names.hpp"
#include "daemon/services/entity_locks.hpp"

namespace berth::services {

/// Starts that nobody asked Berth for (`systemctl start`): each keeps its operation and the instance's lock until the
/// container runs or has failed to. Any thread.
class StartTable {
 public:
  struct Row {
    OperationId operation;
    EntityLocks::Guard lock;
  };

  void add(const Uuid& instance, Row row);
  std::optional<Row> take(const Uuid& instance);
  /// The same, only if it is still that start.
  std::optional<Row> take(const Uuid& instance, const OperationId& operation);

 private:
  std::mutex mutex_;
  std::map<Uuid, Row> rows_;
};

}  // namespace berth::services
