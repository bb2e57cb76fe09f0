#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "base/names.hpp"
#include "base/result.hpp"

namespace berth::services {

/// The commands whose operations are open, and whether they were begun. Any thread.
class ExecTable {
 public:
  struct Row {
    Uuid instance;
    bool begun = true;
    bool recorded = false;  ///< its output goes to log files
  };

  void add(const OperationId& id, Row row);
  std::optional<Row> find(const OperationId& id) const;
  /// Those of one instance.
  std::vector<OperationId> of(const Uuid& instance) const;
  /// Marks a deferred command as begun and says where it is; nothing when it is not there or was begun before. Exactly one
  /// caller gets it.
  std::optional<Row> begin(const OperationId& id);
  /// Removes it; nothing when somebody else did before.
  std::optional<Row> take(const OperationId& id);
  /// take(), unless it was begun.
  std::optional<Row> take_deferred(const OperationId& id);

 private:
  mutable std::mutex mutex_;
  std::map<OperationId, Row> rows_;
};

}  // namespace berth::services
