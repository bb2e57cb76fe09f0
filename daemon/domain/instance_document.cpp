#include "daemon/domain/instance_document.hpp"

namespace berth {

Document instance_document(const Instance& instance, const Expanded& expanded, InstanceStatus status) {
  std::vector<std::string> profiles;
  profiles.reserve(instance.profiles.size());
  for (const auto& profile : instance.profiles) profiles.push_back(profile.str());
  return Document{
      {"name", instance.name.str()},
      {"project", instance.project.str()},
      {"uuid", instance.uuid.str()},
      {"type", instance.type},
      {"location", instance.location},
      {"architecture", instance.architecture},
      {"description", instance.description},
      {"ephemeral", instance.ephemeral},
      {"stateful", false},
      {"revision", instance.revision},
      {"created_at", to_microseconds(instance.created_at)},
      {"last_used_at", to_microseconds(instance.last_used_at)},
      {"profiles", std::move(profiles)},
      {"config", instance.config},
      {"devices", instance.devices},
      {"expanded_config", expanded.config},
      {"expanded_devices", expanded.devices},
      {"status", std::string(status_word(status))},
      {"status_code", std::int64_t{status_code(status)}},
  };
}

}  // namespace berth
