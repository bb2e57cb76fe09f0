#include "daemon/services/instance_run.hpp"

#include "base/log.hpp"
#include "base/reverter.hpp"
#include "daemon/domain/config_keys.hpp"
#include "daemon/domain/document_json.hpp"
#include "daemon/domain/schedule.hpp"
#include "daemon/ports/instance_metadata.hpp"
#include "daemon/services/instance_support.hpp"
#include "daemon/services/lifecycle_events.hpp"
#include "daemon/services/project_rules.hpp"
#include "daemon/services/snapshot_steps.hpp"
#include "daemon/services/start_plan.hpp"

#include <filesystem>
#include <system_error>

namespace berth::services {
namespace {

void log_failure(const Result<void>& result, const std::string& what, const Instance& instance) {
  if (!result) log::warning(what + ": " + result.error().message, {{"BERTH_INSTANCE", instance.name.str()}});
}

/// What `snapshots.schedule` wants of a start: a snapshot of the instance as it was before it.
Result<void> take_startup_snapshot(Context& context, const Instance& instance) {
  BERTH_TRY(const auto all, expanded(context, instance));
  if (!is_due_at_startup(config_value(all.config, "snapshots.schedule"))) return {};
  BERTH_TRY(const auto project, context.store.project(daemon_principal(), instance.project));
  BERTH_CHECK(judge_snapshots(project));
  SnapshotSteps steps(context);
  BERTH_TRY(const auto name, steps.next_name(instance));
  BERTH_TRY(const auto expires_at, steps.default_expiry(instance));
  BERTH_CHECK(steps.take(instance, name, expires_at));
  publish_snapshot(context, daemon_principal(), instance, name, "instance-snapshot-created");
  return {};
}

}  // namespace

Result<void> InstanceRun::start(const Instance& instance) {
  // A full pool shall not keep anything from running.
  log_failure(take_startup_snapshot(context_, instance), "The snapshot of a start could not be taken", instance);
  // A supervisor needs about as long to come up as its plan to be made.
  StartPlanner(context_).begin(instance.uuid);
  const auto outcome = context_.runtime.start(instance.uuid, instance.project, instance.name);
  (void)context_.starts.take_plan(instance.uuid);  // there when no supervisor ever asked
  if (outcome) started(instance);
  return outcome;
}

void InstanceRun::started(const Instance& instance) {
  ConfigMap keys{{"volatile.last_state.power", "RUNNING"}, {"volatile.apply_template", ""}};
  if (const auto next = instance.config.find("volatile.idmap.next"); next != instance.config.end())
    keys["volatile.idmap.current"] = next->second;
  log_failure(context_.store.set_instance_volatile(instance.uuid, keys), "The start could not be recorded", instance);
  log_failure(context_.store.touch_instance(instance.uuid, context_.clock.now()), "The start could not be recorded",
              instance);
}

void InstanceRun::record_stopped(const Instance& instance) {
  const ConfigMap keys{{"volatile.last_state.power", "STOPPED"}, {"volatile.idmap.current", ""}};
  log_failure(context_.store.set_instance_volatile(instance.uuid, keys), "The stop could not be recorded", instance);
}

void InstanceRun::stopped(const Principal& who, const Instance& instance, const std::string& action) {
  record_stopped(instance);
  publish_lifecycle(context_, who, instance, action);
  if (!instance.ephemeral) return;
  log_failure(remove(who, instance), "The ephemeral instance could not be deleted", instance);
}

Result<void> InstanceRun::remove(const Principal& who, const Instance& instance) {
  const ports::Intent intent{
      .id = new_uuid(),
      .verb = "delete-instance",
      .object = instance.uuid.str(),
      .detail = to_json(
          Document{{"pool", instance.pool.str()}, {"project", instance.project.str()}, {"name", instance.name.str()}}),
      .created_at = context_.clock.now()};
  BERTH_TRY(auto* const driver, driver_of(context_, instance.pool));
  BERTH_CHECK(context_.store.begin_intent(intent));
  if (const auto deleted = driver->delete_root(instance.uuid); !deleted) {
    // Nothing was taken from the instance: it stays as it is, and reconcile must not delete it.
    log_failure(context_.store.end_intent(intent.id), "An intent could not be ended", instance);
    return deleted.error();
  }
  // From here on there is no way back; the intent stays until the rest is done.
  BERTH_CHECK(finish_removal(instance));
  log_failure(context_.store.end_intent(intent.id), "An intent could not be ended", instance);
  publish_lifecycle(context_, who, instance, "instance-deleted");
  drop_base_image(context_, instance.config);
  empty_trash_later(context_);
  return {};
}

Result<void> InstanceRun::finish_removal(const Instance& instance) {
  BERTH_TRY(auto* const driver, driver_of(context_, instance.pool));
  BERTH_TRY(const auto snapshots, context_.store.snapshots(instance.uuid));
  for (const auto& snapshot : snapshots) BERTH_CHECK(driver->delete_snapshot({instance.uuid, snapshot.uuid}));
  if (auto deleted = context_.store.delete_instance(instance.uuid); !deleted && deleted.error().code != Code::NotFound)
    return deleted;
  log_failure(context_.metadata.remove(instance.uuid), "The metadata could not be deleted", instance);
  log_failure(context_.backups.remove_all(instance.uuid), "The backups could not be deleted", instance);
  log_failure(context_.manifests.remove(instance.uuid), "The manifest could not be deleted", instance);
  std::error_code failure;
  std::filesystem::remove_all(log_folder(context_, instance.uuid), failure);
  if (failure)
    log::warning("The log files could not be deleted: " + failure.message(), {{"BERTH_INSTANCE", instance.name.str()}});
  return {};
}

Result<void> drop_unknown_image(Context& context, const Fingerprint& fingerprint) {
  BERTH_TRY(const bool known, context.store.image_known(fingerprint));
  if (known) return {};
  for (const auto& [name, driver] : context.pools) {
    const auto removed = driver->remove_image(fingerprint);
    if (removed || removed.error().code == Code::NotFound) continue;
    if (removed.error().code == Code::FailedPrecondition) return {};  // a layer needs it: gone with the last of them
    return removed.error();
  }
  return context.images.remove(fingerprint);
}

void drop_base_image(Context& context, const ConfigMap& config) {
  const auto base = config.find("volatile.base_image");
  if (base == config.end()) return;
  const auto fingerprint = Fingerprint::parse(base->second);
  if (!fingerprint) return;
  const auto known = context.store.image_known(*fingerprint);
  if (!known || *known) return;
  const auto lock = context.locks.lock(image_entity(*fingerprint), "Image " + base->second, "clean-up",
                                       EntityLocks::Purpose::Cleanup);
  const auto dropped = lock ? drop_unknown_image(context, *fingerprint) : Result<void>();
  if (!dropped) log::warning("An unused image could not be deleted: " + dropped.error().message);
}

void empty_trash_later(Context& context) {
  context.workers.submit_long([&context] {
    const auto lock = context.locks.lock("trash", "The trash", "clean-up", EntityLocks::Purpose::Cleanup);
    if (!lock) return;
    for (const auto& [name, driver] : context.pools)
      if (const auto emptied = driver->empty_trash(); !emptied)
        log::warning("The trash of storage pool " + name.str() + " could not be emptied: " + emptied.error().message);
    if (const auto emptied = context.images.empty_trash(); !emptied)
      log::warning("The trash of images could not be emptied: " + emptied.error().message);
  });
}

}  // namespace berth::services
