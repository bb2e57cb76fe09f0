#pragma once

#include <string>

#include "daemon/domain/supervisor_protocol.hpp"
#include "daemon/ports/unit_manager.hpp"

namespace berth::process {

/// Supervisors without systemd: each is a process of its own session that belongs to nobody, so that it outlives berthd.
/// A unit lives as long as its supervisor answers on its control socket.
class ProcessUnits final : public ports::UnitManager {
 public:
  /// `program` is berth-supervisor's path.
  ProcessUnits(supervisor::RuntimePaths paths, std::string program);

  std::string unit_name(const ProjectName& project, const InstanceName& name) const override;
  Result<void> start(const std::string& unit, const Uuid& uuid) override;
  Result<void> kill(const std::string& unit, const Uuid& uuid) override;
  Result<std::vector<std::string>> running() override;

 private:
  supervisor::RuntimePaths paths_;
  std::string program_;
};

}  // namespace berth::process
