#include "daemon/domain/instance_document.hpp"

#include "daemon/domain/document_json.hpp"

namespace berth {

Document instance_document(Instance instance, Expanded expanded) {
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
  return row;
}

Document status_document(InstanceStatus status) {
  return {{"status", std::string(status_word(status))}, {"status_code", std::int64_t{status_code(status)}}};
}

void InstanceRowsText::add(std::string_view stored, const Document& now) {
  text_.append(text_.size() == 1 ? "\n{" : "\n,{").append(stored).append("\n,").append(to_json(now), 1);
}

std::string InstanceRowsText::take() && {
  text_.append("\n]");
  return std::move(text_);
}

}  // namespace berth
