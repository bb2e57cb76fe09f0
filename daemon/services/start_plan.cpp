#include "daemon/services/start_plan.hpp"

#include "base/log.hpp"
#include "daemon/domain/config_keys.hpp"
#include "daemon/domain/unit_name.hpp"
#include "daemon/services/instance_logs.hpp"
#include "daemon/services/instance_support.hpp"
#include "daemon/services/templates.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <fcntl.h>
#include <future>
#include <memory>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace berth::services {
namespace {

constexpr std::chrono::seconds kOutsideLimit{120};

/// Writes the seccomp policy beside the logs, where no guest can reach; an empty path when there is none.
Result<std::string> write_seccomp(const std::string& folder, const ConfigMap& config) {
  BERTH_TRY(const auto policy, seccomp_policy(config));
  const auto path = folder + "/seccomp";
  if (!policy) {
    (void)unlink(path.c_str());
    return std::string();
  }
  const UniqueFd file{open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600)};
  if (!file) return system_error("cannot write " + path, errno);
  if (write(file.get(), policy->data(), policy->size()) != static_cast<ssize_t>(policy->size()))
    return system_error("cannot write " + path, errno);
  return path;
}

Result<IdMap> stored_idmap(Context& context, const Instance& instance, const ConfigMap& config) {
  const auto next = instance.config.find("volatile.idmap.next");
  if (next != instance.config.end()) return idmap_from_json(next->second);
  BERTH_TRY(const auto lock, lock_idmaps(context));
  BERTH_TRY(const auto keys, idmap_keys(context, instance.uuid, config));
  BERTH_CHECK(context.store.set_instance_volatile(instance.uuid, keys));
  return idmap_from_json(keys.at("volatile.idmap.next"));
}

std::chrono::seconds host_shutdown_timeout(const ConfigMap& config) {
  const auto text = config_value(config, "boot.host_shutdown_timeout");
  std::int64_t seconds = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), seconds);
  return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, 86'400));
}

/// The root as this start needs it: nesting wants a plain tree, since an overlay cannot lie on an overlay.
Result<RootSpec> prepared_root(Context& context, const Instance& instance, const ConfigMap& config) {
  BERTH_TRY(auto* const driver, driver_of(context, instance.pool));
  BERTH_TRY(auto root, driver->root(instance.uuid));
  if (root.kind == RootSpec::Kind::Plain || !config_flag(config, "security.nesting")) return root;
  BERTH_CHECK(driver->convert_to_plain(instance.uuid));
  return driver->root(instance.uuid);
}

}  // namespace

Result<Instance> StartPlanner::find(const std::string& unit) {
  if (const auto uuid = Uuid::parse(unit)) return context_.store.instance_by_uuid(*uuid);
  if (const auto named = container_of_unit(unit))
    return context_.store.instance(daemon_principal(), named->first, named->second);
  BERTH_TRY(const auto instances, context_.store.instances(daemon_principal(), std::nullopt));
  for (const auto& instance : instances)
    if (context_.units.unit_name(instance.project, instance.name) == unit) return instance;
  return Error{Code::NotFound, "No instance has the unit " + unit};
}

void StartPlanner::begin(const Uuid& instance) {
  const auto promise = std::make_shared<std::promise<Result<ports::StartPlan>>>();
  context_.starts.add_plan(instance, promise->get_future());
  context_.workers.submit([&context = context_, instance, promise] {
    const auto row = context.store.instance_by_uuid(instance);
    promise->set_value(row ? StartPlanner(context).build(*row) : Result<ports::StartPlan>(row.error()));
  });
}

Result<ports::StartPlan> StartPlanner::prepare(const std::string& unit, const std::string& invocation_id) {
  BERTH_TRY(const auto seen, find(unit));
  const auto holder = context_.locks.holder(instance_entity(seen.uuid));
  if (holder && (holder->verb == "start" || holder->verb == "restart")) {
    // Workers take jobs in turn: what was submitted before this one is being worked on, and ends.
    if (auto plan = context_.starts.take_plan(seen.uuid)) return plan->get();
    return build(seen);
  }

  BERTH_TRY(auto lock, lock_instance(context_, seen, "start"));
  BERTH_TRY(const auto instance, context_.store.instance_by_uuid(seen.uuid));
  const auto status = context_.runtime.status(instance.uuid);
  if (status != InstanceStatus::Stopped && status != InstanceStatus::Starting)
    return Error{Code::FailedPrecondition, "The instance is already running"};
  auto plan = build(instance);
  if (!plan) return plan;
  auto spec = instance_operation(daemon_principal(), instance, "Starting instance");
  BERTH_TRY(const auto operation, context_.operations.open(std::move(spec), nullptr));
  log::info("Instance " + instance.name.str() + " is started from outside",
            {{"BERTH_INSTANCE", instance.name.str()}, {"BERTH_INVOCATION_ID", invocation_id}});
  context_.starts.add(instance.uuid, {operation, std::move(lock)});
  give_up_later(instance.uuid, operation);
  return plan;
}

void StartPlanner::give_up_later(const Uuid& instance, const OperationId& operation) {
  context_.workers.submit_after(kOutsideLimit, [&context = context_, instance, operation] {
    auto row = context.starts.take(instance, operation);
    if (!row) return;
    row.reset();  // the lock is free before anybody hears of the end
    context.operations.finish(operation,
                              Error{Code::Unavailable, "The supervisor never told whether the container runs"});
  });
}

Result<ports::StartPlan> StartPlanner::build(const Instance& instance) {
  BERTH_TRY(const auto all, expanded(context_, instance));
  BERTH_TRY(const auto disk, find_root_disk(all.devices));
  BERTH_TRY(auto root, prepared_root(context_, instance, all.config));
  BERTH_TRY(auto idmap, stored_idmap(context_, instance, all.config));
  BERTH_CHECK(apply_templates(context_, instance, all, root, idmap.privileged()));
  const auto folder = log_folder(context_, instance.uuid);
  BERTH_CHECK(make_log_folder(folder));
  const auto log_file = folder + "/lxc.log";
  (void)std::rename(log_file.c_str(), (log_file + ".old").c_str());
  BERTH_TRY(auto seccomp, write_seccomp(folder, all.config));
  BERTH_TRY(auto config, make_lxc_config(LxcConfigRequest{.name = instance.name,
                                                          .config = all.config,
                                                          .architecture = instance.architecture,
                                                          .privileged = idmap.privileged(),
                                                          .seccomp_file = std::move(seccomp)},
                                         context_.lxc_host));
  return ports::StartPlan{.uuid = instance.uuid,
                          .project = instance.project,
                          .name = instance.name,
                          .root = std::move(root),
                          .root_readonly = disk.readonly,
                          .idmap = std::move(idmap),
                          .lxc_config = std::move(config),
                          .host_shutdown_timeout = host_shutdown_timeout(all.config),
                          .log_file = log_file,
                          .console_file = folder + "/console.log"};
}

}  // namespace berth::services
