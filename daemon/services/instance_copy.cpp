#include "daemon/services/instance_copy.hpp"

#include "daemon/domain/config_keys.hpp"
#include "daemon/domain/device_keys.hpp"
#include "daemon/ports/instance_metadata.hpp"
#include "daemon/services/creation.hpp"
#include "daemon/services/instance_run.hpp"
#include "daemon/services/instance_support.hpp"
#include "daemon/services/lifecycle_events.hpp"
#include "daemon/services/project_rules.hpp"
#include "daemon/services/snapshot_steps.hpp"
#include "daemon/services/templates.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

namespace berth::services {
namespace {

bool of_the_root(const std::string& key) { return key == "volatile.base_image" || key == "volatile.apply_template"; }

/// Without what the server recorded of the original.
ConfigMap copied_config(const ConfigMap& from) {
  ConfigMap config = from;
  std::erase_if(config, [](const auto& entry) { return entry.first.starts_with("volatile."); });
  if (const auto base = from.find("volatile.base_image"); base != from.end()) config.insert(*base);
  return config;
}

/// A stopped original may be copied by many at once; who lets a running one stand still has it alone.
Result<EntityLocks::Guard> lock_source(Context& context, const Instance& instance, bool from_snapshot) {
  const bool still = from_snapshot || context.runtime.status(instance.uuid) == InstanceStatus::Stopped;
  if (still) return context.locks.share(instance_entity(instance.uuid), shown(instance.name), "copy");
  return lock_instance(context, instance, "copy");
}

Snapshot copied_snapshot(const Snapshot& from, const Uuid& instance) {
  Snapshot copy = from;
  copy.uuid = new_uuid();
  copy.instance = instance;
  copy.revision = 1;
  std::erase_if(copy.config,
                [](const auto& entry) { return entry.first.starts_with("volatile.") && !of_the_root(entry.first); });
  return copy;
}

ProjectName source_project(const CreateInstanceRequest& request) { return request.source.project.value_or(request.project); }

bool same_moment(const Snapshot& a, const Snapshot& b) { return a.name == b.name && a.created_at == b.created_at; }

}  // namespace

/// What is copied, as it is under `lock`.
struct InstanceCopy::Source {
  Instance instance;
  std::optional<Snapshot> snapshot;
  EntityLocks::Guard lock;
};

struct InstanceCopy::Draft {
  Instance row;
  Expanded expanded;
  ports::StorageDriver* driver;
  Instance original;
  ports::TreeId from;
  std::vector<std::pair<ports::TreeId, Snapshot>> snapshots;  ///< each original's tree, and the row of its copy
};

Result<InstanceCopy::Source> InstanceCopy::source(const Principal& who, const CreateInstanceRequest& request) {
  if (!request.source.instance) return Error{Code::InvalidArgument, "Must specify a source instance"};
  const auto& name = *request.source.instance;
  const auto project = source_project(request);
  const auto seen = context_.store.instance(who, project, name);
  if (!seen && seen.error().code == Code::NotFound)
    return Error{Code::NotFound, "Failed to fetch instance \"" + name.str() + "\" in project \"" +
                                     project.str() + "\": Instance not found"};
  if (!seen) return seen.error();
  BERTH_TRY(auto lock, lock_source(context_, *seen, request.source.snapshot.has_value()));
  BERTH_TRY(auto instance, context_.store.instance(who, project, name));
  if (instance.uuid != seen->uuid) return Error{Code::Busy, shown(name) + " was replaced by another one: try again"};
  std::optional<Snapshot> snapshot;
  if (request.source.snapshot) {
    BERTH_TRY(snapshot, SnapshotSteps(context_).find(instance, *request.source.snapshot));
  }
  return Source{std::move(instance), std::move(snapshot), std::move(lock)};
}

Result<InstanceCopy::Draft> InstanceCopy::draft(const Principal& who, const CreateInstanceRequest& request,
                                                const Source& source) {
  BERTH_CHECK(validate_config(request.config, ConfigOwner::Instance));
  BERTH_CHECK(validate_devices(request.devices));
  if (has_control_characters(request.description))
    return Error{Code::InvalidArgument, "The description may not have control characters"};
  const auto& then = source.snapshot;
  const auto uuid = new_uuid();
  ConfigMap config = request.config;
  // A client sends what it read of the original; only an address it chooses itself is its own.
  std::erase_if(config, [](const auto& entry) {
    return entry.first.starts_with("volatile.") && !entry.first.ends_with(".hwaddr");
  });
  config.merge(copied_config(then ? then->config : source.instance.config));
  std::erase_if(config, [](const auto& entry) { return entry.second.empty(); });
  config["volatile.uuid"] = uuid.str();
  config["volatile.cloud-init.instance-id"] = new_uuid().str();
  config["volatile.last_state.idmap"] = "[]";  // nothing on disk is ever shifted
  config["volatile.apply_template"] = "copy";
  DeviceMap devices = request.devices;
  for (const auto& [name, device] : then ? then->devices : source.instance.devices) devices.try_emplace(name, device);
  const auto& original_profiles = then ? then->profiles : source.instance.profiles;
  BERTH_TRY(const auto profiles,
            find_profiles(context_, who, request.project, request.profiles.value_or(original_profiles)));
  auto all = expand(profiles, config, devices);
  BERTH_CHECK(validate_config_together(all.config));
  BERTH_CHECK(validate_devices_together(all.devices));
  BERTH_TRY(const auto root, find_root_disk(all.devices));
  if (root.pool != source.instance.pool)
    return Error{Code::NotSupported, "Instance " + source.instance.name.str() + " is in storage pool " +
                                         source.instance.pool.str() + " and cannot be copied to " + root.pool.str() +
                                         ": give the copy a root disk of the same pool"};
  BERTH_TRY(auto* const driver, driver_of(context_, root.pool));
  Instance row{.uuid = uuid,
               .project = request.project,
               .name = *request.name,
               .owner_uid = who.uid,
               .architecture = then ? then->architecture : source.instance.architecture,
               .created_at = context_.clock.now(),
               .ephemeral = request.ephemeral,
               .description = request.description,
               .config = std::move(config),
               .devices = std::move(devices),
               .pool = root.pool};
  for (const auto& profile : profiles) row.profiles.push_back(profile.name);
  const auto& original = source.instance.uuid;
  Draft draft{.row = std::move(row),
              .expanded = std::move(all),
              .driver = driver,
              .original = source.instance,
              .from = {original, then ? std::optional<Uuid>(then->uuid) : std::nullopt},
              .snapshots = {}};
  if (then || request.source.instance_only) return draft;
  BERTH_TRY(const auto snapshots, context_.store.snapshots(original));
  for (const auto& snapshot : snapshots)
    draft.snapshots.emplace_back(ports::TreeId{original, snapshot.uuid}, copied_snapshot(snapshot, uuid));
  return draft;
}

Result<OperationId> InstanceCopy::create(const Principal& who, CreateInstanceRequest request,
                                         EntityLocks::Guard name_lock) {
  BERTH_TRY(auto from, source(who, request));
  BERTH_TRY(auto plan, draft(who, request, from));
  BERTH_CHECK(judge_instance(context_, plan.row, plan.expanded));
  // Of the keys of the server's own a client chooses an address alone; what it sends of the others was left out.
  Expanded own;
  for (const auto& [key, value] : plan.row.config)
    if (key.starts_with("volatile.") && !(key.ends_with(".hwaddr") && request.config.contains(key))) own.config[key] = value;
  BERTH_CHECK(check_host_access(context_, who, plan.row.name.str(), own, plan.expanded));
  BERTH_TRY(auto instance_lock, lock_instance(context_, plan.row, "create"));
  auto spec = instance_operation(who, plan.row, "Creating instance");
  spec.resources["instances"].push_back(from.instance.name.str());
  const auto locks = std::make_shared<std::vector<EntityLocks::Guard>>();
  locks->push_back(std::move(name_lock));
  locks->push_back(std::move(instance_lock));
  locks->push_back(std::move(from.lock));
  return context_.operations.start(
      std::move(spec),
      [&context = context_, who, locks, plan = std::move(plan),
       start = request.start](OperationContext&) -> Result<Document> {
        const auto made = InstanceCopy(context).make(plan);
        if (made)
          publish_lifecycle(context, who, plan.row, "instance-created",
                            Document{{"type", plan.row.type}, {"storage-pool", plan.row.pool.str()}});
        locks->clear();
        BERTH_CHECK(made);
        if (!start) return Document{};
        BERTH_TRY(const auto row, context.store.instance_by_uuid(plan.row.uuid));
        BERTH_TRY(const auto lock, lock_instance(context, row, "start"));
        BERTH_CHECK(InstanceRun(context).start(row));
        publish_lifecycle(context, who, row, "instance-started");
        return Document{};
      });
}

Result<void> InstanceCopy::make(const Draft& draft) {
  const auto& uuid = draft.row.uuid;
  std::vector<Snapshot> rows;
  std::vector<std::string> copies;
  for (const auto& [from, row] : draft.snapshots) {
    rows.push_back(row);
    copies.push_back(row.uuid.str());
  }
  BERTH_TRY(const auto intent, begin_creation(context_, draft.row, copies));
  CreationUndo undo(context_.store, intent);
  {
    std::optional<Stillness> still;
    if (!draft.from.snapshot) {
      BERTH_TRY(auto held, Stillness::of(context_, draft.original));
      still.emplace(std::move(held));
    }
    BERTH_CHECK(draft.driver->copy_tree(draft.from, {uuid, {}}));
  }
  undo.add([&] { return draft.driver->delete_root(uuid); });
  for (const auto& [from, row] : draft.snapshots) {
    const ports::TreeId to{uuid, row.uuid};
    BERTH_CHECK(draft.driver->copy_tree(from, to));
    undo.add([&draft, to] { return draft.driver->delete_snapshot(to); });
  }
  undo.add([&] { return context_.metadata.remove(uuid); });
  BERTH_CHECK(copy_instance_metadata(context_, draft.original.uuid, uuid));
  return commit_creation(context_, draft.row, draft.expanded, rows, intent, undo);
}

Result<OperationId> InstanceCopy::refresh(const Principal& who, const CreateInstanceRequest& request) {
  BERTH_TRY(const auto seen, context_.store.instance(who, request.project, *request.name));
  BERTH_TRY(auto lock, lock_instance(context_, seen, "refresh"));
  BERTH_TRY(const auto target, context_.store.instance_by_uuid(seen.uuid));
  if (context_.runtime.status(target.uuid) != InstanceStatus::Stopped)
    return Error{Code::FailedPrecondition, "Cannot refresh a running instance"};
  if (request.source.instance == target.name && source_project(request) == target.project)
    return Error{Code::InvalidArgument, "An instance cannot be refreshed from itself"};
  if (request.source.snapshot)
    return Error{Code::InvalidArgument, "An instance is refreshed from an instance, not from a snapshot"};
  BERTH_TRY(auto from, source(who, request));
  if (from.instance.pool != target.pool)
    return Error{Code::NotSupported, "Instances of different storage pools cannot be refreshed from each other"};
  auto spec = instance_operation(who, target, "Refreshing instance");
  spec.resources["instances"].push_back(from.instance.name.str());
  const auto source_lock = std::make_shared<std::optional<EntityLocks::Guard>>(std::move(from.lock));
  return start_locked(context_, std::move(spec), std::move(lock),
                      [&context = context_, who, target, original = from.instance, source_lock,
                       with_snapshots = !request.source.instance_only](OperationContext&) -> Result<Document> {
                        const auto done = InstanceCopy(context).bring_up_to_date(target, original, with_snapshots);
                        source_lock->reset();
                        BERTH_CHECK(done);
                        publish_lifecycle(context, who, target, "instance-updated");
                        return Document{};
                      });
}

Result<void> InstanceCopy::bring_up_to_date(const Instance& target, const Instance& from, bool with_snapshots) {
  BERTH_TRY(auto* const driver, driver_of(context_, target.pool));
  SnapshotSteps steps(context_);
  if (with_snapshots) {
    BERTH_TRY(const auto theirs, context_.store.snapshots(from.uuid));
    BERTH_TRY(const auto ours, context_.store.snapshots(target.uuid));
    const auto among = [](const std::vector<Snapshot>& all, const Snapshot& one) {
      return std::any_of(all.begin(), all.end(), [&](const Snapshot& other) { return same_moment(one, other); });
    };
    for (const auto& snapshot : ours)
      if (!among(theirs, snapshot)) BERTH_CHECK(steps.remove(target, snapshot));
    for (const auto& snapshot : theirs)
      if (!among(ours, snapshot))
        BERTH_CHECK(steps.add(target, copied_snapshot(snapshot, target.uuid), {from.uuid, snapshot.uuid}));
  }
  {
    BERTH_TRY(const auto still, Stillness::of(context_, from));
    BERTH_CHECK(driver->replace_tree({from.uuid, {}}, {target.uuid, {}}));
  }
  const auto base = from.config.find("volatile.base_image");
  BERTH_CHECK(context_.store.set_instance_volatile(
      target.uuid, {{"volatile.base_image", base == from.config.end() ? "" : base->second},
                    {"volatile.apply_template", "copy"}}));
  refresh_manifest(context_, target.uuid);
  drop_base_image(context_, target.config);
  empty_trash_later(context_);
  return {};
}

}  // namespace berth::services
