#include "daemon/adapters/systemd/systemd_units.hpp"

#include <csignal>

#include "daemon/domain/unit_name.hpp"

namespace berth::systemd {

SystemdUnits::SystemdUnits(ports::SystemdCalls& calls) : calls_(calls) {}

std::string SystemdUnits::unit_name(const ProjectName& project, const InstanceName& name) const {
  return container_unit_name(project, name);
}

Result<void> SystemdUnits::start(const std::string& unit, const Uuid&) {
  (void)calls_.reset_failed_unit(unit);  // an earlier failure must not count against this start
  return calls_.start_unit(unit);
}

Result<void> SystemdUnits::kill(const std::string& unit, const Uuid&) {
  auto killed = calls_.kill_unit(unit, SIGKILL);
  if (!killed && killed.error().code == Code::NotFound) return {};
  return killed;
}

Result<std::vector<std::string>> SystemdUnits::running() { return calls_.active_units("berth-container@*.service"); }

}  // namespace berth::systemd
