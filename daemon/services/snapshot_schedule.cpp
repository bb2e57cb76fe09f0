#include "daemon/services/snapshot_schedule.hpp"

#include "base/log.hpp"
#include "daemon/domain/config_keys.hpp"
#include "daemon/domain/schedule.hpp"
#include "daemon/services/instance_support.hpp"
#include "daemon/services/snapshot_steps.hpp"
#include "daemon/services/snapshots.hpp"

#include <algorithm>
#include <functional>
#include <map>

namespace berth::services {
namespace {

constexpr std::chrono::milliseconds kLookDelay{500};
/// The clock of the timer and that of the calendar may come apart (a host that slept, a clock that was set).
constexpr std::chrono::hours kLongestWait{1};

/// A deletion that failed is tried again a minute later.
constexpr std::chrono::minutes kRetry{1};

void sooner(std::optional<Timestamp>& next, std::optional<Timestamp> other) {
  if (other && (!next || *other < *next)) next = other;
}

bool changes_schedules(const std::string& action) {
  return action == "instance-created" || action == "instance-updated" || action == "instance-restored" ||
         action == "profile-updated" || action.starts_with("instance-snapshot-");
}

}  // namespace

void SnapshotSchedule::begin() {
  {
    const std::lock_guard lock(running_);
    last_minute_ = std::chrono::floor<std::chrono::minutes>(context_.clock.now());
  }
  arm();
}

void SnapshotSchedule::heard(const std::string& action) {
  if (!changes_schedules(action) || looking_.exchange(true)) return;
  context_.workers.submit_after(kLookDelay, [this] {
    looking_ = false;
    context_.workers.submit_long([this] { arm(); });
  });
}

/// Runs, and comes back when there is more to do.
void SnapshotSchedule::arm() {
  const auto number = ++armed_;
  const auto next = run();
  if (!next || context_.operations.closing()) return;
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(*next - context_.clock.now());
  const auto bounded = std::clamp<std::chrono::milliseconds>(wait, std::chrono::milliseconds(10), kLongestWait);
  context_.workers.submit_after(bounded, [this, number] {
    if (number == armed_) context_.workers.submit_long([this] { arm(); });
  });
}

std::optional<Timestamp> SnapshotSchedule::run() {
  const std::lock_guard lock(running_);
  const auto now = context_.clock.now();
  const Timestamp minute = std::chrono::floor<std::chrono::minutes>(now);
  const bool new_minute = minute > last_minute_;
  last_minute_ = std::max(last_minute_, minute);
  auto next = delete_expired(now);
  sooner(next, take_due(minute, new_minute));
  return next;
}

std::optional<Timestamp> SnapshotSchedule::delete_expired(Timestamp now) {
  const auto all = context_.store.snapshots(std::nullopt);
  if (!all) {
    log::error("Expired snapshots could not be looked for: " + all.error().message);
    return now + kRetry;
  }
  std::optional<Timestamp> next;
  std::vector<Snapshot> expired;
  for (const auto& snapshot : *all) {
    if (snapshot.expires_at == kNever) continue;
    if (snapshot.expires_at > now)
      sooner(next, snapshot.expires_at);
    else
      expired.push_back(snapshot);
  }
  if (expired.empty()) return next;
  sooner(next, now + kRetry);
  const auto begun = context_.operations.start(
      OperationSpec{.description = "Cleaning up expired snapshots",
                    .project = default_project(),
                    .owner = daemon_principal()},
      [this, expired](OperationContext&) { return clean_up(expired); });
  if (!begun) log::warning("Expired snapshots stay for now: " + begun.error().message);
  return next;
}

/// Each as it is when its instance's lock is held: its expiry may have been moved meanwhile.
Result<Document> SnapshotSchedule::clean_up(const std::vector<Snapshot>& expired) {
  std::optional<Error> failure;
  for (const auto& seen : expired) {
    const auto instance = context_.store.instance_by_uuid(seen.instance);
    if (!instance) continue;  // gone, and its snapshots with it
    const auto lock = context_.locks.lock(instance_entity(instance->uuid), shown(instance->name), "clean-up",
                                          EntityLocks::Purpose::Cleanup);
    if (!lock) {
      failure = lock.error();
      continue;
    }
    const auto now = context_.store.snapshots(instance->uuid);
    if (!now) return now.error();
    const auto row = std::find_if(now->begin(), now->end(), [&](const Snapshot& one) { return one.uuid == seen.uuid; });
    if (row == now->end() || row->expires_at == kNever || row->expires_at > context_.clock.now()) continue;
    if (const auto removed = SnapshotSteps(context_).remove(*instance, *row); !removed) {
      failure = removed.error();
      continue;
    }
    publish_snapshot(context_, daemon_principal(), *instance, row->name, "instance-snapshot-deleted");
  }
  if (failure) {
    log::warning("An expired snapshot could not be deleted: " + failure->message);
    return *failure;
  }
  return Document{};
}

std::optional<Timestamp> SnapshotSchedule::take_due(Timestamp minute, bool new_minute) {
  const auto instances = context_.store.instances(daemon_principal(), std::nullopt);
  if (!instances) {
    log::error("Scheduled snapshots could not be looked for: " + instances.error().message);
    return minute + kRetry;
  }
  std::map<ProjectName, std::vector<Profile>> profiles;
  std::optional<Timestamp> next;
  for (const auto& instance : *instances) {
    if (!profiles.contains(instance.project)) {
      auto known = context_.store.profiles(daemon_principal(), instance.project);
      if (!known) continue;
      profiles.emplace(instance.project, *std::move(known));
    }
    const auto all = expand(instance, profiles.at(instance.project));
    if (!all) continue;
    const auto text = config_value(all->config, "snapshots.schedule");
    if (text.empty()) continue;
    const auto schedule = Schedule::parse(text, std::hash<std::string>{}(instance.uuid.str()));
    if (!schedule) continue;  // a key of an older Berth; its next change is refused
    sooner(next, schedule->next(minute));
    if (!new_minute || !schedule->due(minute)) continue;
    const bool stopped = context_.runtime.status(instance.uuid) == InstanceStatus::Stopped;
    if (stopped && !config_flag(all->config, "snapshots.schedule.stopped")) continue;
    const auto begun = Snapshots(context_).create(daemon_principal(), {instance.project, instance.name}, {});
    if (!begun)
      log::warning("A scheduled snapshot could not be taken: " + begun.error().message,
                   {{"BERTH_INSTANCE", instance.name.str()}});
  }
  return next;
}

}  // namespace berth::services
