#include "daemon/services/snapshots.hpp"

#include "daemon/services/instance_config.hpp"
#include "daemon/services/instance_run.hpp"
#include "daemon/services/instance_support.hpp"
#include "daemon/services/lifecycle_events.hpp"
#include "daemon/services/project_rules.hpp"
#include "daemon/services/snapshot_steps.hpp"

#include <algorithm>
#include <utility>

namespace berth::services {

Result<std::vector<Document>> snapshot_documents(Context& context, const Instance& instance,
                                                 const std::vector<Snapshot>& snapshots) {
  std::vector<Document> rows;
  if (snapshots.empty()) return rows;
  BERTH_TRY(const auto profiles, context.store.profiles(daemon_principal(), instance.project));
  for (const auto& snapshot : snapshots) {
    Instance then = instance;
    then.config = snapshot.config;
    then.devices = snapshot.devices;
    then.profiles.clear();
    // A profile that is gone gives nothing any more.
    for (const auto& name : snapshot.profiles)
      if (std::any_of(profiles.begin(), profiles.end(), [&](const Profile& known) { return known.name == name; }))
        then.profiles.push_back(name);
    BERTH_TRY(const auto all, expand(then, profiles));
    rows.push_back(snapshot_document(snapshot, all));
  }
  return rows;
}

Result<OperationId> Snapshots::create(const Principal& who, const InstanceRef& of, SnapshotRequest request) {
  if (request.stateful)
    return Error{Code::NotSupported, "Stateful snapshots are not supported on this server: leave out the state"};
  BERTH_TRY(const auto project, context_.store.project(daemon_principal(), of.project));
  BERTH_CHECK(judge_snapshots(project));
  BERTH_TRY(auto locked, lock_named(context_, who, of.project, of.name, "snapshot"));
  SnapshotSteps steps(context_);
  if (!request.name) {
    BERTH_TRY(request.name, steps.next_name(locked.instance));
  } else if (steps.find(locked.instance, *request.name)) {
    return Error{Code::AlreadyExists, "Snapshot \"" + request.name->str() + "\" already exists"};
  }
  if (!request.expires_at) {
    BERTH_TRY(request.expires_at, steps.default_expiry(locked.instance));
  }
  auto spec = instance_operation(who, locked.instance, "Snapshotting instance");
  return start_locked(
      context_, std::move(spec), std::move(locked.lock),
      [&context = context_, who, instance = locked.instance, request](OperationContext&) -> Result<Document> {
        BERTH_TRY(const auto taken, SnapshotSteps(context).take(instance, *request.name, *request.expires_at));
        publish_snapshot(context, who, instance, taken.name, "instance-snapshot-created");
        return Document{};
      });
}

Result<std::vector<Snapshot>> Snapshots::list(const Principal& who, const InstanceRef& of) {
  BERTH_TRY(const auto instance, context_.store.instance(who, of.project, of.name));
  return context_.store.snapshots(instance.uuid);
}

Result<std::vector<Document>> Snapshots::describe(const Principal& who, const InstanceRef& of,
                                                  const std::optional<std::vector<SnapshotName>>& names) {
  BERTH_TRY(const auto instance, context_.store.instance(who, of.project, of.name));
  if (!names) {
    BERTH_TRY(const auto all, context_.store.snapshots(instance.uuid));
    return snapshot_documents(context_, instance, all);
  }
  std::vector<Snapshot> picked;
  for (const auto& name : *names) {
    BERTH_TRY(auto snapshot, SnapshotSteps(context_).find(instance, name));
    picked.push_back(std::move(snapshot));
  }
  return snapshot_documents(context_, instance, picked);
}

Result<OperationId> Snapshots::restore(const Principal& who, const InstanceRef& of, const SnapshotName& name) {
  BERTH_TRY(auto locked, lock_named(context_, who, of.project, of.name, "restart"));  // whose start the plan joins
  BERTH_TRY(const auto snapshot, SnapshotSteps(context_).find(locked.instance, name));
  BERTH_TRY(const auto wanted, restored(context_, locked.instance, snapshot));
  BERTH_TRY(const auto before, expanded(context_, locked.instance));
  BERTH_TRY(const auto after, expanded(context_, wanted));
  BERTH_CHECK(check_final(wanted, after));
  BERTH_CHECK(judge_instance(context_, wanted, after));
  BERTH_CHECK(check_host_access(context_, who, of.name.str(), before, after));
  auto spec = instance_operation(who, locked.instance, "Restoring snapshot");
  return start_locked(
      context_, std::move(spec), std::move(locked.lock),
      [&context = context_, who, instance = locked.instance, snapshot](OperationContext&) -> Result<Document> {
        InstanceRun run(context);
        const bool runs = context.runtime.status(instance.uuid) != InstanceStatus::Stopped;
        if (runs) {
          BERTH_CHECK(context.runtime.kill(instance.uuid));
          run.record_stopped(instance);  // an ephemeral one stays too: nobody asked for its end
        }
        BERTH_TRY(const auto current, context.store.instance_by_uuid(instance.uuid));
        const auto back = SnapshotSteps(context).restore(current, snapshot);
        if (back)
          publish_lifecycle(context, who, instance, "instance-restored",
                            Document{{"snapshot", shown_snapshot(instance, snapshot.name)}});
        if (runs) {
          BERTH_TRY(const auto now, context.store.instance_by_uuid(instance.uuid));
          BERTH_CHECK(run.start(now));
        }
        BERTH_CHECK(back);
        return Document{};
      });
}

Result<OperationId> Snapshots::rename(const Principal& who, const InstanceRef& of, const SnapshotName& name,
                                      const SnapshotName& to) {
  BERTH_TRY(auto locked, lock_named(context_, who, of.project, of.name, "rename a snapshot"));
  SnapshotSteps steps(context_);
  BERTH_TRY(auto snapshot, steps.find(locked.instance, name));
  if (steps.find(locked.instance, to))
    return Error{Code::AlreadyExists, "Name \"" + to.str() + "\" already in use"};
  snapshot.name = to;
  auto spec = instance_operation(who, locked.instance, "Renaming snapshot");
  return start_locked(
      context_, std::move(spec), std::move(locked.lock),
      [&context = context_, who, instance = locked.instance, snapshot, name](OperationContext&) -> Result<Document> {
        BERTH_CHECK(context.store.update_snapshot(snapshot, std::nullopt));
        publish_snapshot(context, who, instance, snapshot.name, "instance-snapshot-renamed",
                         Document{{"old_name", name.str()}});
        return Document{};
      });
}

Result<OperationId> Snapshots::update(const Principal& who, const InstanceRef& of, const SnapshotName& name,
                                      std::optional<Timestamp> expires_at, std::optional<std::uint64_t> if_revision) {
  BERTH_TRY(auto locked, lock_named(context_, who, of.project, of.name, "update a snapshot"));
  BERTH_TRY(auto snapshot, SnapshotSteps(context_).find(locked.instance, name));
  if (if_revision && *if_revision != snapshot.revision)
    return Error{Code::RevisionMismatch, "The snapshot \"" + name.str() + "\" has changed: it has revision " +
                                             std::to_string(snapshot.revision) + ", not " +
                                             std::to_string(*if_revision)};
  const bool changes = expires_at.has_value();
  if (changes) snapshot.expires_at = *expires_at;
  auto spec = instance_operation(who, locked.instance, "Updating snapshot");
  return start_locked(
      context_, std::move(spec), std::move(locked.lock),
      [&context = context_, who, instance = locked.instance, snapshot, changes](OperationContext&) -> Result<Document> {
        if (!changes) return Document{};
        BERTH_CHECK(context.store.update_snapshot(snapshot, std::nullopt));
        publish_snapshot(context, who, instance, snapshot.name, "instance-snapshot-updated");
        return Document{};
      });
}

Result<OperationId> Snapshots::remove(const Principal& who, const InstanceRef& of, const SnapshotName& name) {
  BERTH_TRY(auto locked, lock_named(context_, who, of.project, of.name, "delete a snapshot"));
  BERTH_TRY(const auto snapshot, SnapshotSteps(context_).find(locked.instance, name));
  auto spec = instance_operation(who, locked.instance, "Deleting snapshot");
  return start_locked(
      context_, std::move(spec), std::move(locked.lock),
      [&context = context_, who, instance = locked.instance, snapshot](OperationContext&) -> Result<Document> {
        BERTH_CHECK(SnapshotSteps(context).remove(instance, snapshot));
        publish_snapshot(context, who, instance, snapshot.name, "instance-snapshot-deleted");
        return Document{};
      });
}

}  // namespace berth::services
