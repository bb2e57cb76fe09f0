#include "daemon/domain/instance.hpp"

namespace berth {

InstanceSummary summary_of(const Instance& instance) {
  return {.uuid = instance.uuid,
          .project = instance.project,
          .name = instance.name,
          .type = instance.type,
          .architecture = instance.architecture,
          .revision = instance.revision,
          .created_at = instance.created_at,
          .last_used_at = instance.last_used_at,
          .ephemeral = instance.ephemeral};
}

std::string_view status_word(InstanceStatus status) {
  switch (status) {
    case InstanceStatus::Stopped: return "Stopped";
    case InstanceStatus::Starting: return "Starting";
    case InstanceStatus::Running: return "Running";
    case InstanceStatus::Freezing: return "Freezing";
    case InstanceStatus::Frozen: return "Frozen";
    case InstanceStatus::Thawed: return "Thawed";
    case InstanceStatus::Stopping: return "Stopping";
    case InstanceStatus::Error: return "Error";
  }
  return "Error";
}

int status_code(InstanceStatus status) {
  switch (status) {
    case InstanceStatus::Stopped: return 102;
    case InstanceStatus::Running: return 103;
    case InstanceStatus::Starting: return 106;
    case InstanceStatus::Stopping: return 107;
    case InstanceStatus::Freezing: return 109;
    case InstanceStatus::Frozen: return 110;
    case InstanceStatus::Thawed: return 111;
    case InstanceStatus::Error: return 112;
  }
  return 112;
}

}  // namespace berth
