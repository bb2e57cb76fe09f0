#include "daemon/services/instance_lifecycle.hpp"

#include "daemon/domain/config_keys.hpp"
#include "daemon/services/instance_run.hpp"
#include "daemon/services/instance_support.hpp"
#include "daemon/services/lifecycle_events.hpp"

#include <memory>

namespace berth::services {
namespace {

Error already_running() { return Error{Code::FailedPrecondition, "The instance is already running"}; }
Error already_stopped() { return Error{Code::FailedPrecondition, "The instance is already stopped"}; }
Error not_running() { return Error{Code::FailedPrecondition, "The container isn't running"}; }

bool is_forced(const StopRequest& request) {
  return request.force || (request.timeout && *request.timeout == std::chrono::seconds{0});
}

Result<void> ask_to_end(Context& context, const Uuid& uuid, const StopRequest& request, OperationContext& operation) {
  if (is_forced(request)) return context.runtime.kill(uuid);
  if (context.runtime.status(uuid) == InstanceStatus::Frozen) BERTH_CHECK(context.runtime.unfreeze(uuid));
  return context.runtime.shutdown(uuid, request.timeout, [&operation] { return operation.cancelled(); });
}

/// Brings the container to a full stop; on error it runs on.
Result<void> halt(Context& context, const Uuid& uuid, const StopRequest& request, OperationContext& operation) {
  auto ended = ask_to_end(context, uuid, request, operation);
  // A forced stop, or the guest itself, may have been faster: what was wanted is so.
  if (!ended && context.runtime.status(uuid) == InstanceStatus::Stopped) return {};
  return ended;
}

}  // namespace

Result<OperationId> InstanceLifecycle::start(const Principal& who, const ProjectName& project,
                                             const InstanceName& name) {
  BERTH_TRY(auto locked, lock_named(context_, who, project, name, "start"));
  if (context_.runtime.status(locked.instance.uuid) != InstanceStatus::Stopped) return already_running();
  auto spec = instance_operation(who, locked.instance, "Starting instance");
  return start_locked(context_, std::move(spec), std::move(locked.lock),
                      [&context = context_, who, instance = locked.instance](OperationContext&) -> Result<Document> {
                        BERTH_CHECK(InstanceRun(context).start(instance));
                        publish_lifecycle(context, who, instance, "instance-started");
                        return Document{};
                      });
}

Result<OperationId> InstanceLifecycle::stop(const Principal& who, const ProjectName& project, const InstanceName& name,
                                            StopRequest request) {
  if (is_forced(request)) {
    BERTH_TRY(const auto instance, context_.store.instance(who, project, name));
    const auto holder = context_.locks.holder(instance_entity(instance.uuid));
    if (holder && holder->verb == "stop") return kill_in_stop(who, instance);
  }
  BERTH_TRY(auto locked, lock_named(context_, who, project, name, "stop"));
  if (context_.runtime.status(locked.instance.uuid) == InstanceStatus::Stopped) return already_stopped();
  auto spec = instance_operation(who, locked.instance, "Stopping instance");
  spec.cancellable = !is_forced(request);
  return start_locked(
      context_, std::move(spec), std::move(locked.lock),
      [&context = context_, who, instance = locked.instance, request](OperationContext& operation) -> Result<Document> {
        BERTH_CHECK(halt(context, instance.uuid, request, operation));
        InstanceRun(context).stopped(who, instance, is_forced(request) ? "instance-stopped" : "instance-shutdown");
        return Document{};
      });
}

Result<OperationId> InstanceLifecycle::kill_in_stop(const Principal& who, const Instance& instance) {
  return context_.operations.start(instance_operation(who, instance, "Stopping instance"),
                                   [&context = context_, instance](OperationContext&) -> Result<Document> {
                                     auto killed = context.runtime.kill(instance.uuid);
                                     if (!killed && context.runtime.status(instance.uuid) != InstanceStatus::Stopped)
                                       return killed.error();
                                     // The clean stop sees the end and records it; this one ends after it, so that the
                                     // state is settled for the caller.
                                     const auto settled =
                                         context.locks.lock(instance_entity(instance.uuid), shown(instance.name),
                                                            "stop", EntityLocks::Purpose::Cleanup);
                                     if (!settled) return settled.error();
                                     return Document{};
                                   });
}

Result<OperationId> InstanceLifecycle::restart(const Principal& who, const ProjectName& project,
                                               const InstanceName& name, StopRequest request) {
  BERTH_TRY(auto locked, lock_named(context_, who, project, name, "restart"));
  if (context_.runtime.status(locked.instance.uuid) == InstanceStatus::Stopped) return already_stopped();
  auto spec = instance_operation(who, locked.instance, "Restarting instance");
  return start_locked(
      context_, std::move(spec), std::move(locked.lock),
      [&context = context_, who, instance = locked.instance, request](OperationContext& operation) -> Result<Document> {
        BERTH_CHECK(halt(context, instance.uuid, request, operation));
        InstanceRun run(context);
        if (const auto started = run.start(instance); !started) {
          run.record_stopped(instance);  // an ephemeral one stays too: nobody asked for its end
          publish_lifecycle(context, who, instance, "instance-stopped");
          return started.error();
        }
        publish_lifecycle(context, who, instance, "instance-restarted");
        return Document{};
      });
}

Result<OperationId> InstanceLifecycle::freeze(const Principal& who, const ProjectName& project,
                                              const InstanceName& name) {
  BERTH_TRY(auto locked, lock_named(context_, who, project, name, "freeze"));
  const auto status = context_.runtime.status(locked.instance.uuid);
  if (status == InstanceStatus::Stopped) return not_running();
  if (status == InstanceStatus::Frozen) return Error{Code::FailedPrecondition, "The container is already frozen"};
  auto spec = instance_operation(who, locked.instance, "Freezing instance");
  return start_locked(context_, std::move(spec), std::move(locked.lock),
                      [&context = context_, who, instance = locked.instance](OperationContext&) -> Result<Document> {
                        BERTH_CHECK(context.runtime.freeze(instance.uuid));
                        publish_lifecycle(context, who, instance, "instance-paused");
                        return Document{};
                      });
}

Result<OperationId> InstanceLifecycle::unfreeze(const Principal& who, const ProjectName& project,
                                                const InstanceName& name) {
  BERTH_TRY(auto locked, lock_named(context_, who, project, name, "unfreeze"));
  const auto status = context_.runtime.status(locked.instance.uuid);
  if (status == InstanceStatus::Stopped) return not_running();
  if (status != InstanceStatus::Frozen) return Error{Code::FailedPrecondition, "The container is already running"};
  auto spec = instance_operation(who, locked.instance, "Unfreezing instance");
  return start_locked(context_, std::move(spec), std::move(locked.lock),
                      [&context = context_, who, instance = locked.instance](OperationContext&) -> Result<Document> {
                        BERTH_CHECK(context.runtime.unfreeze(instance.uuid));
                        publish_lifecycle(context, who, instance, "instance-resumed");
                        return Document{};
                      });
}

Result<OperationId> InstanceLifecycle::remove(const Principal& who, const ProjectName& project,
                                              const InstanceName& name, bool force) {
  BERTH_TRY(auto locked, lock_named(context_, who, project, name, "delete"));
  const bool runs = context_.runtime.status(locked.instance.uuid) != InstanceStatus::Stopped;
  if (runs && !force) return Error{Code::FailedPrecondition, "Instance is running"};
  BERTH_TRY(const auto all, expanded(context_, locked.instance));
  if (config_flag(all.config, "security.protection.delete"))
    return Error{Code::FailedPrecondition, "Instance is protected: unset security.protection.delete first"};
  auto spec = instance_operation(who, locked.instance, "Deleting instance");
  return start_locked(
      context_, std::move(spec), std::move(locked.lock),
      [&context = context_, who, instance = locked.instance, runs](OperationContext&) -> Result<Document> {
        if (runs) {
          BERTH_CHECK(context.runtime.kill(instance.uuid));
          publish_lifecycle(context, who, instance, "instance-stopped");
        }
        BERTH_CHECK(InstanceRun(context).remove(who, instance));
        return Document{};
      });
}

Result<OperationId> InstanceLifecycle::rename(const Principal& who, const ProjectName& project,
                                              const InstanceName& name, const InstanceName& to) {
  BERTH_TRY(auto locked, lock_named(context_, who, project, name, "rename"));
  if (context_.runtime.status(locked.instance.uuid) != InstanceStatus::Stopped)
    return Error{Code::FailedPrecondition, "Renaming of running instance not allowed"};
  BERTH_TRY(auto name_lock, lock_free_name(context_, project, to, "rename"));
  auto spec = instance_operation(who, locked.instance, "Renaming instance");
  const auto held_name = std::make_shared<std::optional<EntityLocks::Guard>>(std::move(name_lock));
  return start_locked(
      context_, std::move(spec), std::move(locked.lock),
      [&context = context_, who, instance = locked.instance, to, held_name](OperationContext&) -> Result<Document> {
        BERTH_CHECK(context.store.rename_instance(instance.uuid, to));
        held_name->reset();
        if (!instance.config.contains("volatile.apply_template"))
          (void)context.store.set_instance_volatile(instance.uuid, {{"volatile.apply_template", "rename"}});
        refresh_manifest(context, instance.uuid);
        Instance renamed = instance;
        renamed.name = to;
        publish_lifecycle(context, who, renamed, "instance-renamed", Document{{"old_name", instance.name.str()}});
        return Document{};
      });
}

}  // namespace berth::services
