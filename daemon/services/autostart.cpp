#include "base/log.hpp"
#include "daemon/domain/config_keys.hpp"
#include "daemon/services/instance_run.hpp"
#include "daemon/services/instance_support.hpp"
#include "daemon/services/lifecycle_events.hpp"
#include "daemon/services/reconcile.hpp"

#include <algorithm>
#include <charconv>
#include <memory>

namespace berth::services {
namespace {

struct Candidate {
  Instance instance;
  std::int64_t priority = 0;
  std::chrono::seconds delay{0};
};

std::int64_t number(const ConfigMap& config, std::string_view key) {
  const auto text = config_value(config, key);
  std::int64_t value = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

bool wanted(const ConfigMap& config) {
  const auto autostart = config.find("boot.autostart");
  if (autostart != config.end() && !autostart->second.empty()) return is_true(autostart->second);
  const auto power = config.find("volatile.last_state.power");
  return power != config.end() && power->second == "RUNNING";
}

Result<std::vector<Candidate>> candidates(Context& context) {
  BERTH_TRY(const auto instances, context.store.instances(daemon_principal(), std::nullopt));
  std::vector<Candidate> found;
  for (const auto& instance : instances) {
    const auto all = expanded(context, instance);
    if (!all || !wanted(all->config)) continue;
    found.push_back({instance, number(all->config, "boot.autostart.priority"),
                     std::chrono::seconds(number(all->config, "boot.autostart.delay"))});
  }
  std::stable_sort(found.begin(), found.end(), [](const Candidate& a, const Candidate& b) {
    if (a.priority != b.priority) return a.priority > b.priority;
    return a.instance.name < b.instance.name;
  });
  return found;
}

/// One start, as an operation of the daemon; a failure is logged and the next one goes on.
Result<void> start_one(Context& context, const Instance& instance) {
  BERTH_TRY(const auto lock, lock_instance(context, instance, "start"));
  BERTH_CHECK(InstanceRun(context).start(instance));
  publish_lifecycle(context, daemon_principal(), instance, "instance-started");
  return {};
}

}  // namespace

void Reconcile::autostart() {
  if (boot_was_seen()) return;
  auto found = candidates(context_);
  if (!found) return log::error("No instance is started automatically: " + found.error().message);
  auto rest = std::make_shared<std::vector<Instance>>();
  auto delays = std::make_shared<std::vector<std::chrono::seconds>>();
  for (auto& candidate : *found) {
    rest->push_back(std::move(candidate.instance));
    delays->push_back(candidate.delay);
  }
  autostart_from(0, std::move(rest), std::move(delays));
}

void Reconcile::autostart_from(std::size_t index, std::shared_ptr<std::vector<Instance>> instances,
                               std::shared_ptr<std::vector<std::chrono::seconds>> delays) {
  if (index == instances->size()) return remember_boot();
  context_.workers.submit_long([this, index, instances, delays] {
    const auto& instance = (*instances)[index];
    if (context_.runtime.status(instance.uuid) != InstanceStatus::Stopped)
      return autostart_from(index + 1, instances, delays);
    auto id = context_.operations.open(instance_operation(daemon_principal(), instance, "Starting instance"), nullptr);
    if (!id) return log::error("Instances are not started automatically: " + id.error().message);
    const auto started = start_one(context_, instance);
    if (!started)
      log::error("Instance " + instance.name.str() + " could not be started: " + started.error().message,
                 {{"BERTH_INSTANCE", instance.name.str()}});
    context_.operations.finish(*id, started ? Result<Document>(Document{}) : Result<Document>(started.error()));
    const auto delay = (*delays)[index];
    if (delay <= std::chrono::seconds{0}) return autostart_from(index + 1, instances, delays);
    context_.workers.submit_after(delay,
                                  [this, index, instances, delays] { autostart_from(index + 1, instances, delays); });
  });
}

}  // namespace berth::services
