#include "base/log.hpp"
#include "daemon/services/instance_exec.hpp"
#include "daemon/ports/instance_metadata.hpp"
#include "daemon/services/instance_run.hpp"
#include "daemon/services/instance_support.hpp"
#include "daemon/services/reconcile.hpp"
#include "daemon/services/snapshot_steps.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <set>

namespace berth::services {
namespace {

constexpr auto kFirstPool = "default";

void log_failure(const Result<void>& result, const std::string& what) {
  if (!result) log::error(what + ": " + result.error().message);
}

bool runs(Context& context, const Instance& instance) {
  return context.runtime.status(instance.uuid) != InstanceStatus::Stopped;
}

/// A text of an intent's detail.
Result<std::string> detail_of(const ports::Intent& intent, const char* field) {
  const auto json = nlohmann::json::parse(intent.detail, nullptr, false);
  if (!json.is_object() || !json.contains(field) || !json[field].is_string())
    return Error{Code::Internal, "The intent " + intent.id.str() + " names no " + field};
  return json[field].get<std::string>();
}

/// The pool an intent was written for.
Result<PoolName> pool_of(const ports::Intent& intent) {
  BERTH_TRY(const auto name, detail_of(intent, "pool"));
  return PoolName::parse(name);
}

/// Snapshots that a copy was to have; those of an instance that never came to be are deleted with its root.
Result<void> drop_copied_snapshots(ports::StorageDriver& driver, const Uuid& instance, const ports::Intent& intent) {
  const auto json = nlohmann::json::parse(intent.detail, nullptr, false);
  if (!json.is_object() || !json.contains("snapshots") || !json["snapshots"].is_array()) return {};
  for (const auto& entry : json["snapshots"]) {
    BERTH_TRY(const auto uuid, Uuid::parse(entry.is_string() ? entry.get<std::string>() : ""));
    BERTH_CHECK(driver.delete_snapshot({instance, uuid}));
  }
  return {};
}

/// A container that stood still to be copied runs on.
Result<void> thaw(Context& context, const ports::Intent& intent) {
  BERTH_TRY(const auto uuid, Uuid::parse(intent.object));
  if (context.runtime.status(uuid) != InstanceStatus::Frozen) return {};
  return context.runtime.unfreeze(uuid);
}

}  // namespace

Result<void> Reconcile::at_start() {
  if (context_.subuids.empty() || context_.subgids.empty())
    log::info("No id ranges are delegated to root in /etc/subuid and /etc/subgid: 1000000:1000000000 is used");
  BERTH_CHECK(open_pools());
  BERTH_CHECK(make_default_profile());
  BERTH_CHECK(settle_intents());
  BERTH_CHECK(settle_images());
  BERTH_CHECK(settle_instances());
  empty_trash_later(context_);
  return {};
}

Result<void> Reconcile::open_pools() {
  BERTH_TRY(auto rows, context_.store.pools());
  if (rows.empty()) {
    BERTH_TRY(const auto name, PoolName::parse(kFirstPool));
    const auto folder = context_.paths.state + "/storage-pools/" + kFirstPool;
    const StoragePool pool{.uuid = new_uuid(),
                           .name = name,
                           .driver = pools_.choose_driver(folder),
                           .created_at = context_.clock.now(),
                           .config = {{"source", folder}}};
    BERTH_TRY(auto driver, pools_.open(pool));
    BERTH_CHECK(context_.store.insert_pool(pool));
    context_.pools.emplace(name, std::move(driver));
    return {};
  }
  for (const auto& row : rows) {
    auto driver = pools_.open(row);
    if (driver) {
      context_.pools.emplace(row.name, *std::move(driver));
    } else {
      log::error("Storage pool " + row.name.str() + " cannot be used: " + driver.error().message);
    }
  }
  return {};
}

Result<void> Reconcile::make_default_profile() {
  BERTH_TRY(const auto name, ProfileName::parse("default"));
  const auto found = context_.store.profile(daemon_principal(), default_project(), name);
  if (found) return {};
  if (found.error().code != Code::NotFound) return found.error();
  return context_.store.insert_profile(
      Profile{.uuid = new_uuid(),
              .project = default_project(),
              .name = name,
              .created_at = context_.clock.now(),
              .description = "Default LXD profile",
              .devices = {{"root", {{"path", "/"}, {"pool", kFirstPool}, {"type", "disk"}}}}});
}

Result<void> Reconcile::settle_intents() {
  BERTH_TRY(const auto intents, context_.store.intents());
  for (const auto& intent : intents) {
    const auto settled = settle_intent(intent);
    if (settled) {
      log_failure(context_.store.end_intent(intent.id), "An intent could not be ended");
    } else {
      log::error("An unfinished " + intent.verb + " of " + intent.object + " stays: " + settled.error().message);
    }
  }
  return {};
}

Result<void> Reconcile::settle_intent(const ports::Intent& intent) {
  if (intent.verb == "import-image" || intent.verb == "delete-image") {
    BERTH_TRY(const auto fingerprint, Fingerprint::parse(intent.object));
    return drop_unknown_image(context_, fingerprint);
  }
  if (intent.verb == "freeze-instance") return thaw(context_, intent);
  if (intent.verb.ends_with("-snapshot")) return settle_snapshot(intent);
  BERTH_TRY(const auto uuid, Uuid::parse(intent.object));
  BERTH_TRY(const auto pool, pool_of(intent));
  const auto row = context_.store.instance_by_uuid(uuid);
  if (!row && row.error().code != Code::NotFound) return row.error();
  if (intent.verb == "create-instance" && row) {
    refresh_manifest(context_, uuid);  // it was committed; only the last words were missing
    return {};
  }
  BERTH_TRY(auto* const driver, driver_of(context_, pool));
  BERTH_CHECK(driver->delete_root(uuid));
  BERTH_CHECK(drop_copied_snapshots(*driver, uuid, intent));
  if (row) return InstanceRun(context_).finish_removal(*row);
  BERTH_CHECK(context_.metadata.remove(uuid));
  return context_.manifests.remove(uuid);
}

/// A snapshot that was not committed goes, one whose deletion was begun goes, and a restore is made to its end.
Result<void> Reconcile::settle_snapshot(const ports::Intent& intent) {
  BERTH_TRY(const auto uuid, Uuid::parse(intent.object));
  BERTH_TRY(const auto instance_text, detail_of(intent, "instance"));
  BERTH_TRY(const auto instance, Uuid::parse(instance_text));
  BERTH_TRY(const auto pool, pool_of(intent));
  BERTH_TRY(auto* const driver, driver_of(context_, pool));
  BERTH_TRY(const auto known, context_.store.snapshots(instance));
  const auto row = std::find_if(known.begin(), known.end(), [&](const Snapshot& one) { return one.uuid == uuid; });
  if (intent.verb == "restore-snapshot") {
    if (row == known.end()) return {};
    BERTH_TRY(const auto owner, context_.store.instance_by_uuid(instance));
    if (runs(context_, owner)) return {};
    return SnapshotSteps(context_).restore(owner, *row);
  }
  if (intent.verb == "create-snapshot" && row != known.end()) return {};
  BERTH_CHECK(driver->delete_snapshot({instance, uuid}));
  if (row == known.end()) return {};
  return context_.store.delete_snapshot(uuid);
}

/// Files of images that no row knows are what a crash left, or what a layer needed.
Result<void> Reconcile::settle_images() {
  BERTH_TRY(const auto kept, context_.images.reconcile());
  for (const auto& fingerprint : kept)
    log_failure(drop_unknown_image(context_, fingerprint), "Image files could not be deleted");
  return {};
}

Result<void> Reconcile::settle_instances() {
  BERTH_TRY(const auto instances, context_.store.instances(daemon_principal(), std::nullopt));
  const bool same_boot = boot_was_seen();
  for (const auto& instance : instances) {
    if (runs(context_, instance)) {
      settle_running(instance);
    } else {
      settle_stopped(instance, same_boot);
    }
  }
  warn_of_strays(instances);
  return {};
}

void Reconcile::settle_running(const Instance& instance) {
  const auto power = instance.config.find("volatile.last_state.power");
  if (power == instance.config.end() || power->second != "RUNNING") InstanceRun(context_).started(instance);
  const auto execs = context_.runtime.running_execs(instance.uuid);
  if (!execs) {
    log::warning("The commands of a container could not be asked for: " + execs.error().message,
                 {{"BERTH_INSTANCE", instance.name.str()}});
    return;
  }
  for (const auto& exec : *execs) InstanceExec(context_).reopen(instance, exec);
}

void Reconcile::settle_stopped(const Instance& instance, bool same_boot) {
  const auto power = instance.config.find("volatile.last_state.power");
  if (power == instance.config.end() || power->second != "RUNNING") return;
  const auto report = context_.runtime.last_exit(instance.uuid);
  if (report && *report) {
    // Its restart or deletion may take long: that is done once the daemon serves.
    context_.workers.submit_long([this, uuid = instance.uuid, told = **report] { ended(uuid, told); });
    return;
  }
  if (same_boot) {
    InstanceRun(context_).stopped(daemon_principal(), instance, "instance-stopped");
  } else if (instance.ephemeral) {
    InstanceRun(context_).stopped(daemon_principal(), instance, "instance-shutdown");
  }
}

void Reconcile::warn_of_strays(const std::vector<Instance>& instances) {
  std::set<Uuid> known;
  for (const auto& instance : instances) known.insert(instance.uuid);
  for (const auto& [name, driver] : context_.pools) {
    const auto roots = driver->roots();
    if (!roots) continue;
    for (const auto& uuid : *roots)
      if (!known.contains(uuid))
        log::warning("Storage pool " + name.str() +
                     " has a root of an instance that the database does not know: " + uuid.str());
  }
}

bool Reconcile::boot_was_seen() const {
  std::string now;
  std::string before;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> now;
  std::ifstream(context_.paths.runtime + "/boot-id") >> before;
  return !now.empty() && now == before;
}

void Reconcile::remember_boot() const {
  std::string now;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> now;
  std::ofstream file(context_.paths.runtime + "/boot-id", std::ios::trunc);
  file << now << "\n";
  if (!file.flush()) log::warning("The boot could not be recorded: instances may be started again by the next daemon");
}

}  // namespace berth::services
