#include "daemon/services/instance_config.hpp"

#include "base/log.hpp"
#include "base/architecture.hpp"
#include "daemon/domain/config_keys.hpp"
#include "daemon/domain/device_keys.hpp"
#include "daemon/services/instance_support.hpp"
#include "daemon/services/lifecycle_events.hpp"
#include "daemon/services/live_limits.hpp"
#include "daemon/services/project_rules.hpp"

#include <algorithm>
#include <set>

namespace berth::services {
namespace {

bool server_owned(const std::string& key) { return key.starts_with("volatile.") || key.starts_with("image."); }

/// What a start or a stop changes: a whole new map may have an old value of it.
bool goes_by_itself(const std::string& key) {
  return key.starts_with("volatile.last_state.") || key.starts_with("volatile.idmap.") || key == "volatile.apply_template";
}

/// The new configuration. What the server owns stays as it is. Of what there is a whole new map may leave it out, or bring an old
/// or another instance's value along (`lxc copy --refresh` does), which count for nothing; to ask for more is an error.
Result<ConfigMap> changed_config(const ConfigMap& current, const ConfigMap& given, bool replace) {
  BERTH_CHECK(validate_config(given, ConfigOwner::Instance));
  ConfigMap config;
  if (!replace) config = current;
  for (const auto& [key, value] : current)
    if (server_owned(key)) config[key] = value;
  for (const auto& [key, value] : given) {
    if (server_owned(key)) {
      const auto stored = current.find(key);
      const bool same = stored == current.end() ? value.empty() : stored->second == value;
      if (!same && !(replace && (stored != current.end() || goes_by_itself(key))))
        return Error{Code::InvalidArgument,
                     (key.starts_with("image.") ? "Image" : "Volatile") + std::string(" keys are read-only: ") + key};
      continue;
    }
    if (value.empty()) {
      config.erase(key);
    } else {
      config[key] = value;
    }
  }
  return config;
}

Result<Instance> changed_instance(const Instance& current, const InstanceChanges& changes) {
  Instance wanted = current;
  if (changes.config) {
    BERTH_TRY(wanted.config, changed_config(current.config, *changes.config, changes.replace));
  }
  if (changes.devices) {
    BERTH_CHECK(validate_devices(*changes.devices));
    if (changes.replace) wanted.devices.clear();
    for (const auto& [name, device] : *changes.devices) wanted.devices.insert_or_assign(name, device);
  }
  if (changes.profiles) {
    std::set<std::string> seen;
    for (const auto& profile : *changes.profiles)
      if (!seen.insert(profile.str()).second) return Error{Code::InvalidArgument, "Duplicate profile found in request"};
    wanted.profiles = *changes.profiles;
  }
  if (changes.description) {
    if (has_control_characters(*changes.description))
      return Error{Code::InvalidArgument, "The description may not have control characters"};
    wanted.description = *changes.description;
  }
  if (changes.ephemeral) wanted.ephemeral = *changes.ephemeral;
  if (changes.architecture && !changes.architecture->empty()) {
    BERTH_TRY(const auto architecture, find_architecture(*changes.architecture));
    wanted.architecture = architecture.name;
  }
  return wanted;
}

}  // namespace

Result<void> check_final(const Instance& instance, const Expanded& wanted) {
  BERTH_CHECK(validate_config_together(wanted.config));
  BERTH_CHECK(validate_devices_together(wanted.devices));
  BERTH_TRY(const auto root, find_root_disk(wanted.devices));
  if (root.pool == instance.pool) return {};
  return Error{Code::FailedPrecondition, "The root disk of instance " + instance.name.str() + " is in pool " +
                                             instance.pool.str() + " and cannot be moved by changing its device"};
}

Result<OperationId> InstanceConfig::update(const Principal& who, const ProjectName& project, const InstanceName& name,
                                           InstanceChanges changes) {
  BERTH_TRY(auto locked, lock_named(context_, who, project, name, "update"));
  const auto& current = locked.instance;
  if (changes.if_revision && *changes.if_revision != current.revision)
    return Error{Code::RevisionMismatch, "Instance \"" + name.str() + "\" has changed: it has revision " +
                                             std::to_string(current.revision) + ", not " +
                                             std::to_string(*changes.if_revision)};
  BERTH_TRY(const auto wanted, changed_instance(current, changes));
  BERTH_TRY(const auto known, context_.store.profiles(who, project));
  BERTH_TRY(const auto before, expanded(context_, current));
  BERTH_TRY(const auto after, expand(wanted, known));
  BERTH_CHECK(check_final(wanted, after));
  BERTH_CHECK(judge_instance(context_, wanted, after));
  BERTH_CHECK(check_host_access(context_, who, name.str(), before, after));
  auto spec = instance_operation(who, current, "Updating instance");
  return start_locked(
      context_, std::move(spec), std::move(locked.lock),
      [&context = context_, who, current, wanted, before, after](OperationContext&) -> Result<Document> {
        BERTH_CHECK(InstanceConfig(context).commit(current, wanted, before, after));
        publish_lifecycle(context, who, wanted, "instance-updated");
        return Document{};
      });
}

Result<void> InstanceConfig::commit(const Instance& current, Instance wanted, const Expanded& before,
                                    const Expanded& after) {
  {
    BERTH_TRY(const auto admitted, admit_instance(context_, wanted, after));
    BERTH_TRY(const auto idmaps, lock_idmaps(context_));
    if (!same_idmap(before.config, after.config)) {
      BERTH_TRY(const auto keys, idmap_keys(context_, current.uuid, after.config));
      for (const auto& [key, value] : keys) wanted.config[key] = value;
    }
    BERTH_CHECK(context_.store.update_instance(wanted, current.revision));
  }
  const auto applied = apply_live(context_, current.uuid, before.config, after.config);
  if (!applied) {
    if (const auto reverted = context_.store.update_instance(current, std::nullopt); !reverted)
      log::error("A change of an instance could not be taken back: " + reverted.error().message,
                 {{"BERTH_INSTANCE", current.name.str()}});
    (void)apply_live(context_, current.uuid, after.config, before.config);
  }
  refresh_manifest(context_, current.uuid);
  return applied;
}

}  // namespace berth::services
