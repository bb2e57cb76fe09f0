#include "daemon/services/reconcile.hpp"

#include "base/log.hpp"
#include "daemon/services/instance_exec.hpp"
#include "daemon/services/instance_run.hpp"
#include "daemon/services/instance_support.hpp"
#include "daemon/services/lifecycle_events.hpp"

namespace berth::services {
namespace {

bool has_power(const Instance& instance) {
  const auto power = instance.config.find("volatile.last_state.power");
  return power != instance.config.end() && power->second == "RUNNING";
}

/// Gives the lock of a start from outside back, then ends its operation.
bool end_outside_start(Context& context, const Uuid& instance, Result<Document> outcome) {
  auto row = context.starts.take(instance);
  if (!row) return false;
  const auto operation = row->operation;
  row.reset();
  context.operations.finish(operation, std::move(outcome));
  return true;
}

}  // namespace

void Reconcile::started(const Uuid& uuid) {
  auto row = context_.starts.take(uuid);
  if (!row) return;  // a start of ours: whoever asked for it waits for it
  const auto operation = row->operation;
  const auto instance = context_.store.instance_by_uuid(uuid);
  if (instance) {
    InstanceRun(context_).started(*instance);
    publish_lifecycle(context_, daemon_principal(), *instance, "instance-started");
  }
  row.reset();
  context_.operations.finish(operation, Document{});
}

void Reconcile::ended(const Uuid& uuid, const ports::ExitReport& report) {
  (void)end_outside_start(context_, uuid, Error{Code::FailedPrecondition, report.message});
  const auto seen = context_.store.instance_by_uuid(uuid);
  if (!seen) return;
  const bool reboot = report.reason == ExitReport::Reason::Rebooted;
  const auto lock = context_.locks.lock(instance_entity(uuid), shown(seen->name), reboot ? "restart" : "clean-up",
                                        EntityLocks::Purpose::Cleanup);
  if (!lock) {
    if (context_.operations.closing()) return;
    // A user's verb takes its time, and it is what matters until it ends.
    context_.workers.submit_long([this, uuid, report] { ended(uuid, report); });
    return;
  }
  if (const auto instance = context_.store.instance_by_uuid(uuid)) settle(*instance, report);
}

/// The lock is held. Whoever stopped the container on purpose has settled it before: then there is nothing left to do.
void Reconcile::settle(const Instance& instance, const ports::ExitReport& report) {
  const bool stale = report.at != kNever && report.at < instance.last_used_at;
  if (stale || !has_power(instance) || context_.runtime.status(instance.uuid) != InstanceStatus::Stopped) return;
  for (const auto& exec : context_.execs.of(instance.uuid)) exec_finished(exec, 137);
  InstanceRun run(context_);
  switch (report.reason) {
    case ExitReport::Reason::HostShutdown:
      if (instance.ephemeral) run.stopped(daemon_principal(), instance, "instance-shutdown");
      return;  // power stays: boot restores it
    case ExitReport::Reason::StartFailed: return run.record_stopped(instance);
    case ExitReport::Reason::Stopped: return run.stopped(daemon_principal(), instance, "instance-shutdown");
    case ExitReport::Reason::Killed: return run.stopped(daemon_principal(), instance, "instance-stopped");
    case ExitReport::Reason::Rebooted: break;
  }
  if (const auto restarted = run.start(instance); !restarted) {
    log::error("Instance " + instance.name.str() +
                   " could not be started again after its reboot: " + restarted.error().message,
               {{"BERTH_INSTANCE", instance.name.str()}});
    run.record_stopped(instance);
    publish_lifecycle(context_, daemon_principal(), instance, "instance-stopped");
    return;
  }
  publish_lifecycle(context_, daemon_principal(), instance, "instance-restarted");
}

void Reconcile::exec_finished(const OperationId& id, int code) { InstanceExec(context_).finished(id, code); }

}  // namespace berth::services
