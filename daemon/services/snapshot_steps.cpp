#include "daemon/services/snapshot_steps.hpp"

#include "base/log.hpp"
#include "daemon/domain/config_keys.hpp"
#include "daemon/domain/document_json.hpp"
#include "daemon/services/creation_undo.hpp"
#include "daemon/services/instance_run.hpp"
#include "daemon/services/instance_support.hpp"
#include "daemon/services/project_rules.hpp"
#include "daemon/services/lifecycle_events.hpp"

#include <algorithm>

namespace berth::services {
namespace {

/// What of the server's own keys belongs to the root and not to the instance of today.
bool of_the_root(const std::string& key) { return key == "volatile.base_image" || key == "volatile.apply_template"; }

ports::Intent snapshot_intent(Context& context, const std::string& verb, const Instance& instance,
                              const Uuid& snapshot) {
  return {.id = new_uuid(),
          .verb = verb,
          .object = snapshot.str(),
          .detail = to_json(Document{{"pool", instance.pool.str()}, {"instance", instance.uuid.str()}}),
          .created_at = context.clock.now()};
}

}  // namespace

Result<Stillness> Stillness::of(Context& context, const Instance& instance) {
  const auto id = new_uuid();
  if (context.runtime.status(instance.uuid) != InstanceStatus::Running) return Stillness(nullptr, instance.uuid, id);
  BERTH_CHECK(context.store.begin_intent({.id = id,
                                          .verb = "freeze-instance",
                                          .object = instance.uuid.str(),
                                          .detail = "{}",
                                          .created_at = context.clock.now()}));
  if (auto frozen = context.runtime.freeze(instance.uuid); !frozen) {
    (void)context.store.end_intent(id);  // one that stays is ended by reconcile
    return std::move(frozen).error();
  }
  return Stillness(&context, instance.uuid, id);
}

Stillness::~Stillness() {
  if (context_ == nullptr) return;
  if (const auto thawed = context_->runtime.unfreeze(instance_);
      !thawed && context_->runtime.status(instance_) != InstanceStatus::Stopped)
    log::error("A container stays frozen after it was copied: " + thawed.error().message,
               {{"BERTH_INSTANCE_UUID", instance_.str()}});
  (void)context_->store.end_intent(intent_);  // one that stays is ended by reconcile
}

std::string shown_snapshot(const Instance& instance, const SnapshotName& name) {
  return instance.name.str() + "/" + name.str();
}

void publish_snapshot(Context& context, const Principal& who, const Instance& instance, const SnapshotName& name,
                      const std::string& action, Document details) {
  publish_lifecycle(context, who,
                    LifecycleSubject{"instance-snapshot", instance.project, shown_snapshot(instance, name),
                                     instance.owner_uid},
                    action, std::move(details));
}

Result<Instance> restored(Context& context, const Instance& instance, const Snapshot& snapshot) {
  Instance wanted = instance;
  BERTH_TRY(const auto known, context.store.profiles(daemon_principal(), instance.project));
  wanted.architecture = snapshot.architecture;
  wanted.ephemeral = snapshot.ephemeral;
  wanted.profiles = snapshot.profiles;
  std::erase_if(wanted.profiles, [&known](const ProfileName& name) {
    return std::none_of(known.begin(), known.end(), [&name](const Profile& profile) { return profile.name == name; });
  });
  wanted.devices = snapshot.devices;
  std::erase_if(wanted.config,
                [](const auto& entry) { return !entry.first.starts_with("volatile.") || of_the_root(entry.first); });
  for (const auto& [key, value] : snapshot.config)
    if (!key.starts_with("volatile.") || of_the_root(key)) wanted.config[key] = value;
  return wanted;
}

Result<Snapshot> SnapshotSteps::find(const Instance& instance, const SnapshotName& name) {
  BERTH_TRY(auto all, context_.store.snapshots(instance.uuid));
  const auto found = std::find_if(all.begin(), all.end(), [&](const Snapshot& row) { return row.name == name; });
  if (found != all.end()) return std::move(*found);
  return Error{Code::NotFound, "Failed to fetch snapshot \"" + name.str() + "\" of instance \"" + instance.name.str() +
                                   "\" in project \"" + instance.project.str() + "\": InstanceSnapshot not found"};
}

Result<SnapshotName> SnapshotSteps::next_name(const Instance& instance) {
  BERTH_TRY(const auto all, context_.store.snapshots(instance.uuid));
  BERTH_TRY(const auto config, expanded(context_, instance));
  std::vector<SnapshotName> taken;
  for (const auto& row : all) taken.push_back(row.name);
  return next_snapshot_name(config_value(config.config, "snapshots.pattern"), taken, context_.clock.now());
}

Result<Timestamp> SnapshotSteps::default_expiry(const Instance& instance) {
  BERTH_TRY(const auto config, expanded(context_, instance));
  return snapshot_expiry(context_.clock.now(), config_value(config.config, "snapshots.expiry"));
}

Result<Snapshot> SnapshotSteps::take(const Instance& instance, const SnapshotName& name, Timestamp expires_at) {
  BERTH_TRY(const auto row, context_.store.instance_by_uuid(instance.uuid));
  const Snapshot snapshot{.uuid = new_uuid(),
                          .instance = row.uuid,
                          .name = name,
                          .created_at = context_.clock.now(),
                          .expires_at = expires_at,
                          .architecture = row.architecture,
                          .ephemeral = row.ephemeral,
                          .profiles = row.profiles,
                          .config = row.config,
                          .devices = row.devices};
  BERTH_TRY(const auto still, Stillness::of(context_, row));
  BERTH_CHECK(add(row, snapshot, {row.uuid, {}}));
  return snapshot;
}

Result<void> SnapshotSteps::add(const Instance& instance, const Snapshot& snapshot, const ports::TreeId& from) {
  BERTH_TRY(auto* const driver, driver_of(context_, instance.pool));
  const ports::TreeId to{instance.uuid, snapshot.uuid};
  const auto intent = snapshot_intent(context_, "create-snapshot", instance, snapshot.uuid);
  BERTH_CHECK(context_.store.begin_intent(intent));
  CreationUndo undo(context_.store, intent.id);
  BERTH_CHECK(driver->copy_tree(from, to));
  undo.add([driver, to] { return driver->delete_snapshot(to); });
  BERTH_CHECK(context_.store.insert_snapshot(snapshot));
  undo.commit();
  (void)context_.store.end_intent(intent.id);  // one that stays is ended by reconcile
  return {};
}

Result<void> SnapshotSteps::remove(const Instance& instance, const Snapshot& snapshot) {
  BERTH_TRY(auto* const driver, driver_of(context_, instance.pool));
  const auto intent = snapshot_intent(context_, "delete-snapshot", instance, snapshot.uuid);
  BERTH_CHECK(context_.store.begin_intent(intent));
  if (const auto deleted = driver->delete_snapshot({instance.uuid, snapshot.uuid}); !deleted) {
    (void)context_.store.end_intent(intent.id);  // nothing was taken: it stays, and reconcile must not delete it
    return deleted.error();
  }
  // From here on there is no way back; the intent stays until the rest is done.
  BERTH_CHECK(context_.store.delete_snapshot(snapshot.uuid));
  (void)context_.store.end_intent(intent.id);
  drop_base_image(context_, snapshot.config);
  empty_trash_later(context_);
  return {};
}

Result<void> SnapshotSteps::restore(const Instance& instance, const Snapshot& snapshot) {
  BERTH_TRY(auto* const driver, driver_of(context_, instance.pool));
  BERTH_TRY(auto wanted, restored(context_, instance, snapshot));
  BERTH_TRY(const auto before, expanded(context_, instance));
  BERTH_TRY(const auto after, expanded(context_, wanted));
  // Before anything is replaced: what is refused changes nothing.
  BERTH_TRY(const auto admitted, admit_instance(context_, wanted, after));
  const auto intent = snapshot_intent(context_, "restore-snapshot", instance, snapshot.uuid);
  BERTH_CHECK(context_.store.begin_intent(intent));
  if (const auto replaced = driver->replace_tree({instance.uuid, snapshot.uuid}, {instance.uuid, {}}); !replaced) {
    (void)context_.store.end_intent(intent.id);
    return replaced.error();
  }
  {
    BERTH_TRY(const auto idmaps, lock_idmaps(context_));
    if (!same_idmap(before.config, after.config)) {
      BERTH_TRY(const auto keys, idmap_keys(context_, instance.uuid, after.config));
      for (const auto& [key, value] : keys) wanted.config[key] = value;
    }
    BERTH_CHECK(context_.store.update_instance(wanted, std::nullopt));
  }
  (void)context_.store.end_intent(intent.id);
  refresh_manifest(context_, instance.uuid);
  drop_base_image(context_, instance.config);
  empty_trash_later(context_);
  return {};
}

}  // namespace berth::services
