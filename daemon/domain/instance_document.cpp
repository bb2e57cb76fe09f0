#include "daemon/domain/instance_document.hpp"

namespace berth {

Document instance_document(Instance instance, Expanded expanded, InstanceStatus status) {
  std::vector<std::string> profiles;
  profiles.reserve(instance.profiles.size());
  for (const auto& profile : instance.profiles) profiles.push_back(profile.str());
  // Lists have thousands of these: each value is moved to its place, where a braced list would copy all maps once more.
  Document row;
  row.emplace("name", instance.name.str());
  row.emplace("project", instance.project.str());
  row.emplace("uuid", instance.uuid.str());
  row.emplace("type", std::move(instance.type));
  row.emplace("location", std::move(instance.location));
  row.emplace("architecture", std::move(instance.architecture));
  row.emplace("description", std::move(instance.description));
  row.emplace("ephemeral", instance.ephemeral);
  row.emplace("stateful", false);
  row.emplace("revision", instance.revision);
  row.emplace("created_at", to_microseconds(instance.created_at));
  row.emplace("last_used_at", to_microseconds(instance.last_used_at));
  row.emplace("profiles", std::move(profiles));
  row.emplace("config", std::move(instance.config));
  row.emplace("devices", std::move(instance.devices));
  row.emplace("expanded_config", std::move(expanded.config));
  row.emplace("expanded_devices", std::move(expanded.devices));
  row.emplace("status", std::string(status_word(status)));
  row.emplace("status_code", std::int64_t{status_code(status)});
  return row;
}

}  // namespace berth
