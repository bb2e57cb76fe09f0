#include "daemon/services/instance_move.hpp"

#include <memory>
#include <optional>
#include <utility>

#include "daemon/domain/config_keys.hpp"
#include "daemon/domain/device_keys.hpp"
#include "daemon/services/instance_support.hpp"
#include "daemon/services/lifecycle_events.hpp"
#include "daemon/services/project_rules.hpp"

namespace berth::services {
namespace {

/// The row as it will be, and its expanded forms here and there.
struct Draft {
  Instance row;
  Expanded before, after;
};

Result<Draft> draft_of(Context& context, const Principal& who, const Instance& from, const InstanceMove::Target& to) {
  Instance row = from;
  row.project = to.project;
  row.name = to.name;
  BERTH_TRY(const auto profiles, find_profiles(context, who, to.project, from.profiles));
  auto all = expand(profiles, row.config, row.devices);
  BERTH_CHECK(validate_config_together(all.config));
  BERTH_CHECK(validate_devices_together(all.devices));
  BERTH_TRY(const auto root, find_root_disk(all.devices));
  if (root.pool != from.pool)
    return Error{Code::NotSupported, "Instance " + from.name.str() + " is in storage pool " + from.pool.str() + ", and the profiles of project " +
                                         to.project.str() + " would put it in " + root.pool.str() + ": give it a root disk of its own"};
  BERTH_TRY(auto before, expanded(context, from));
  // As after a rename. Not before the two are compared: nobody asked for it.
  if (to.name != from.name) row.config.emplace("volatile.apply_template", "rename");
  return Draft{std::move(row), std::move(before), std::move(all)};
}

Result<void> commit(Context& context, Draft& draft) {
  BERTH_TRY(const auto admitted, admit_instance(context, draft.row, draft.after));
  BERTH_TRY(const auto idmaps, lock_idmaps(context));
  if (!same_idmap(draft.before.config, draft.after.config)) {
    BERTH_TRY(const auto keys, idmap_keys(context, draft.row.uuid, draft.after.config));
    for (const auto& [key, value] : keys) draft.row.config[key] = value;
  }
  BERTH_CHECK(context.store.move_instance(draft.row));
  refresh_manifest(context, draft.row.uuid);
  return {};
}

}  // namespace

Result<OperationId> InstanceMove::move(const Principal& who, const ProjectName& project, const InstanceName& name, const Target& to) {
  if (to.project == project) return Error{Code::InvalidArgument, "Instance " + name.str() + " is in project " + project.str() + " already"};
  BERTH_TRY(auto locked, lock_named(context_, who, project, name, "move"));
  const auto& from = locked.instance;
  BERTH_CHECK(context_.store.project(who, to.project));
  if (context_.runtime.status(from.uuid) != InstanceStatus::Stopped)
    return Error{Code::FailedPrecondition, "Instance " + name.str() + " runs, and only a stopped one can be moved to another project"};
  BERTH_TRY(auto name_lock, lock_free_name(context_, to.project, to.name, "move"));
  BERTH_TRY(auto plan, draft_of(context_, who, from, to));
  BERTH_CHECK(judge_instance(context_, plan.row, plan.after));
  BERTH_CHECK(check_host_access(context_, who, name.str(), plan.before, plan.after));
  const auto held_name = std::make_shared<std::optional<EntityLocks::Guard>>(std::move(name_lock));
  return start_locked(context_, instance_operation(who, from, "Moving instance"), std::move(locked.lock),
                      [&context = context_, who, from, plan = std::move(plan), held_name](OperationContext&) mutable -> Result<Document> {
                        // Whoever hears of the end may use the name.
                        const std::shared_ptr<void> at_end(nullptr, [&held_name](void*) { held_name->reset(); });
                        BERTH_CHECK(commit(context, plan));
                        publish_lifecycle(context, who, from, "instance-deleted");
                        publish_lifecycle(context, who, plan.row, "instance-created",
                                          Document{{"type", plan.row.type}, {"storage-pool", plan.row.pool.str()}});
                        return Document{};
                      });
}

}  // namespace berth::services
