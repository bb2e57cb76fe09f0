#pragma once

#include "daemon/ports/bus_calls.hpp"
#include "daemon/ports/unit_manager.hpp"

namespace berth::systemd {

/// Supervisors as systemd's units.
class SystemdUnits final : public ports::UnitManager {
 public:
  /// `calls` outlives this object.
  explicit SystemdUnits(ports::SystemdCalls& calls);

  std::string unit_name(const ProjectName& project, const InstanceName& name) const override;
  Result<void> start(const std::string& unit, const Uuid& uuid) override;
  Result<void> kill(const std::string& unit, const Uuid& uuid) override;
  Result<std::vector<std::string>> running() override;

 private:
  ports::SystemdCalls& calls_;
};

}  // namespace berth::systemd
