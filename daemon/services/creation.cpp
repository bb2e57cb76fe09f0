#include "daemon/services/creation.hpp"

#include "daemon/domain/document_json.hpp"
#include "daemon/services/instance_support.hpp"
#include "daemon/services/project_rules.hpp"

namespace berth::services {

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

Result<void> commit_creation(Context& context, Instance row, const Expanded& all, const std::vector<Snapshot>& snapshots,
                             const Uuid& intent, CreationUndo& undo) {
  const auto uuid = row.uuid;
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
