#include "daemon/services/creation.hpp"

#include <algorithm>

#include "daemon/domain/document_json.hpp"
#include "daemon/domain/policy.hpp"
#include "daemon/services/instance_config.hpp"
#include "daemon/services/instance_support.hpp"
#include "daemon/services/project_rules.hpp"

namespace berth::services {

namespace {

/// The profiles stay as they are until the guards die.
Result<std::vector<EntityLocks::Guard>> keep_profiles(Context& context, const Instance& row) {
  BERTH_TRY(const auto project, context.store.project(daemon_principal(), row.project));
  const auto owner = effective_project(project, ProjectFeature::Profiles);
  auto names = row.profiles;
  std::sort(names.begin(), names.end());  // in one order for everybody
  std::vector<EntityLocks::Guard> guards;
  for (const auto& name : names) {
    BERTH_TRY(auto guard, context.locks.share(profile_entity(owner, name), "Profile " + name.str(), "commit", EntityLocks::Purpose::Cleanup));
    guards.push_back(std::move(guard));
  }
  return guards;
}

}  // namespace

Result<Uuid> begin_creation(Context& context, const Instance& row, const std::vector<std::string>& snapshots) {
  const ports::Intent intent{.id = new_uuid(),
                             .verb = "create-instance",
                             .object = row.uuid.str(),
                             .detail = to_json(Document{{"pool", row.pool.str()},
                                                        {"project", row.project.str()},
                                                        {"name", row.name.str()},
                                                        {"snapshots", snapshots}}),
                             .created_at = context.clock.now()};
  BERTH_CHECK(context.store.begin_intent(intent));
  return intent.id;
}

Result<void> commit_creation(Context& context, Instance row, const Expanded& judged, const std::vector<Snapshot>& snapshots,
                             const Uuid& intent, CreationUndo& undo) {
  const auto uuid = row.uuid;
  // What is committed is what holds now: the tree took its time, and the profiles may have changed meanwhile.
  BERTH_TRY(const auto kept, keep_profiles(context, row));
  BERTH_TRY(const auto all, expanded(context, row));
  BERTH_CHECK(check_final(row, all));
  auto asked = all;
  std::erase_if(asked.config, [](const auto& entry) { return entry.first.starts_with("volatile."); });  // the server's own
  if (!new_host_access(judged, asked).empty())
    return Error{Code::FailedPrecondition, "A profile of instance " + row.name.str() +
                                               " was given access to the host while the instance was made: try again"};
  BERTH_TRY(const auto admitted, admit_instance(context, row, all));
  BERTH_TRY(const auto idmaps, lock_idmaps(context));
  BERTH_TRY(const auto idmap, idmap_keys(context, uuid, all.config));
  for (const auto& [key, value] : idmap) row.config[key] = value;
  BERTH_CHECK(context.store.insert_instance_with_snapshots(row, snapshots));
  undo.add([&context, uuid] { return context.store.delete_instance(uuid); });
  BERTH_CHECK(context.manifests.write(row));
  undo.add([&context, uuid] { return context.manifests.remove(uuid); });
  BERTH_CHECK(context.store.end_intent(intent));
  undo.commit();
  return {};
}

}  // namespace berth::services
