#pragma once

#include <string>

#include "base/names.hpp"
#include "base/result.hpp"
#include "daemon/domain/instance.hpp"
#include "daemon/ports/container_runtime.hpp"
#include "daemon/services/context.hpp"

namespace berth::services {

/// Makes the plan a supervisor asks for. Joins the start operation that runs for the instance; where none does (`systemctl
/// start berth-container@web`), it opens one on behalf of root. Blocking; workers only.
class StartPlanner {
 public:
  explicit StartPlanner(Context& context) : context_(context) {}
  /// Begins to make the plan that prepare() will be asked for, on another worker. The caller holds the instance's lock for
  /// a start or restart.
  void begin(const Uuid& instance);
  /// `unit` is the unit's name, or the instance's uuid. NotFound, FailedPrecondition (runs already), Busy.
  Result<ports::StartPlan> prepare(const std::string& unit, const std::string& invocation_id);

 private:
  Result<Instance> find(const std::string& unit);
  Result<ports::StartPlan> build(const Instance& instance);
  /// A supervisor that falls silent must not keep the instance's lock for ever.
  void give_up_later(const Uuid& instance, const OperationId& operation);

  Context& context_;
};

}  // namespace berth::services
