#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/names.hpp"
#include "base/result.hpp"

namespace berth::ports {

/// Who starts and ends supervisors: systemd where it is PID 1, Berth itself elsewhere. A unit is one container's
/// `berth-container@[PROJECT_]NAME.service`. Blocking: workers only; any thread.
class UnitManager {
 public:
  virtual ~UnitManager() = default;

  /// The unit's name for an instance, escaped as systemd-escape(1) does, hashed when longer than systemd allows.
  virtual std::string unit_name(const ProjectName& project, const InstanceName& name) const = 0;
  /// Queues the start (mode `fail`) and returns when the supervisor's process exists, not when the container runs.
  virtual Result<void> start(const std::string& unit, const Uuid& uuid) = 0;
  /// Ends the unit's processes without asking them; absent is success.
  virtual Result<void> kill(const std::string& unit, const Uuid& uuid) = 0;
  /// Units whose processes are alive.
  virtual Result<std::vector<std::string>> running() = 0;
};

}  // namespace berth::ports
