#pragma once

#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "daemon/domain/start_plan.hpp"

namespace berth::supervisor {

/// A plan and the connection it came on, on which RUNNING or a failed start is told.
struct PulledPlan {
  StartPlan plan;
  UniqueFd connection;
};

/// Asks berthd for the plan of `unit` and waits for it.
Result<PulledPlan> pull_plan(const std::string& doorbell, const std::string& unit);

}  // namespace berth::supervisor
