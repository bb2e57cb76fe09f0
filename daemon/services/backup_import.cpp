#include "daemon/services/backup_import.hpp"

#include <fcntl.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/tree.hpp"
#include "base/architecture.hpp"
#include "daemon/domain/config_keys.hpp"
#include "daemon/domain/device_keys.hpp"
#include "daemon/domain/expand.hpp"
#include "daemon/ports/instance_metadata.hpp"
#include "daemon/services/byte_pump.hpp"
#include "daemon/services/creation.hpp"
#include "daemon/services/instance_support.hpp"
#include "daemon/services/lifecycle_events.hpp"
#include "daemon/services/project_rules.hpp"

namespace berth::services {
namespace {

constexpr std::uint64_t kMaxFile = 1ULL << 40;

bool of_the_root(const std::string& key) { return key == "volatile.base_image" || key == "volatile.apply_template"; }

/// Without what another server recorded of the instance, but for its addresses and what belongs to its root.
ConfigMap restored_config(const ConfigMap& from) {
  ConfigMap config = from;
  std::erase_if(config, [](const auto& entry) {
    return entry.first.starts_with("volatile.") && !of_the_root(entry.first) && !entry.first.ends_with(".hwaddr") &&
           entry.first != "volatile.cloud-init.instance-id";
  });
  std::erase_if(config, [](const auto& entry) { return entry.second.empty(); });
  return config;
}

Result<std::string> runnable(const std::string& name) {
  BERTH_TRY(const auto architecture, find_architecture(name));
  BERTH_TRY(const auto host, host_architecture());
  const auto all = runnable_architectures(host);
  if (std::find(all.begin(), all.end(), architecture.name) == all.end())
    return Error{Code::InvalidArgument, "Requested architecture isn't supported by this host: " + name};
  return std::string(architecture.name);
}

}  // namespace

struct BackupImport::Draft {
  Instance row;
  Expanded expanded;
  std::vector<Snapshot> snapshots;
  std::vector<IdMap> shifts;  ///< of the snapshots
  IdMap shift;
  ports::StorageDriver* driver;
};

Result<OperationId> BackupImport::import(const Principal& who, ImportInstanceRequest request) {
  BERTH_CHECK(context_.store.project(who, request.project));
  if (request.pool) {
    BERTH_TRY(auto* const driver, driver_of(context_, *request.pool));
    (void)driver;
  }
  OperationSpec spec{
      .description = "Restoring backup", .project = request.project, .owner = who, .resources = {}, .cancellable = true};
  if (request.name) spec.resources["instances"] = {request.name->str()};
  const auto shared = std::make_shared<ImportInstanceRequest>(std::move(request));
  return context_.operations.start(
      std::move(spec), [&context = context_, who, shared](OperationContext& operation) -> Result<Document> {
        BERTH_CHECK(BackupImport(context).run(who, *shared, operation));
        return Document{};
      });
}

Result<void> BackupImport::run(const Principal& who, ImportInstanceRequest& request, OperationContext& operation) {
  BERTH_TRY(const auto file, context_.backups.begin());
  const auto came = spool(
      request.backup.get(), file.get(), kMaxFile, {}, [&operation] { return operation.cancelled(); });
  request.backup.reset();  // whoever sends learns that nobody reads
  BERTH_CHECK(came);
  BERTH_TRY(const auto text, context_.archives.read_backup(file.get()));
  BERTH_TRY(const auto backup, parse_backup(text));
  if (backup.optimized)
    return Error{Code::NotSupported,
                 "The backup has the form of a storage driver of the server that made it: make one without optimized storage"};
  if (!backup.type.empty() && backup.type != "container")
    return Error{Code::NotSupported, "The backup is not of a container: " + backup.type};
  auto name = request.name ? Result<InstanceName>(*request.name) : InstanceName::parse(backup.name);
  if (!name) return name.error();
  operation.set_resource("instances", {name->str()});

  BERTH_TRY(const auto name_lock, context_.locks.lock(name_entity(request.project, *name), shown(*name), "create",
                                                      EntityLocks::Purpose::User));
  const auto taken = context_.store.instance(daemon_principal(), request.project, *name);
  if (taken) return Error{Code::AlreadyExists, "Cannot restore instance \"" + name->str() + "\": it already exists"};
  if (taken.error().code != Code::NotFound) return taken.error();
  BERTH_TRY(auto plan, draft(who, request, *name, backup));
  BERTH_CHECK(judge_instance(context_, plan.row, plan.expanded));
  BERTH_CHECK(check_host_access(context_, who, name->str(), Expanded{}, plan.expanded));
  BERTH_TRY(const auto instance_lock, lock_instance(context_, plan.row, "create"));
  BERTH_CHECK(make(plan, file.get(), operation));
  publish_lifecycle(context_, who, plan.row, "instance-created",
                    Document{{"type", plan.row.type}, {"storage-pool", plan.row.pool.str()}});
  return {};
}

Result<BackupImport::Draft> BackupImport::draft(const Principal& who, const ImportInstanceRequest& request,
                                                const InstanceName& name, const BackupDescription& backup) {
  const auto& was = backup.instance;
  if (has_control_characters(backup.description))
    return Error{Code::InvalidArgument, "The description may not have control characters"};
  BERTH_TRY(auto architecture, runnable(was.architecture));
  BERTH_TRY(const auto profiles, find_profiles(context_, who, request.project, was.profiles));
  auto config = restored_config(was.config);
  BERTH_CHECK(validate_config(config, ConfigOwner::Instance));
  BERTH_CHECK(validate_devices(was.devices));

  // The root disk says the pool. What the backup says holds where there is such a pool, and nothing else was asked for.
  DeviceMap devices = was.devices;
  auto all = expand(profiles, config, devices);
  auto root = find_root_disk(all.devices);
  std::optional<PoolName> pool = request.pool;
  if (!pool && root && context_.pools.contains(root->pool)) pool = root->pool;
  if (auto named = PoolName::parse(backup.pool); !pool && named && context_.pools.contains(*named)) pool = *named;
  if (!pool) {
    BERTH_TRY(const auto standard, ProfileName::parse("default"));
    BERTH_TRY(const auto profile, context_.store.profile(daemon_principal(), request.project, standard));
    BERTH_TRY(const auto disk, find_root_disk(profile.devices));
    pool = disk.pool;
  }
  if (!root || root->pool != *pool) {
    auto& device = devices[root ? root->device : "root"];
    if (root && device.empty()) device = all.devices[root->device];
    device["type"] = "disk";
    device["path"] = "/";
    device["pool"] = pool->str();
    all = expand(profiles, config, devices);
    root = find_root_disk(all.devices);
    if (!root) return root.error();
  }
  BERTH_CHECK(validate_devices(devices));
  BERTH_CHECK(validate_config_together(all.config));
  BERTH_CHECK(validate_devices_together(all.devices));
  BERTH_TRY(auto* const driver, driver_of(context_, root->pool));

  const auto uuid = new_uuid();
  config["volatile.uuid"] = uuid.str();
  config.try_emplace("volatile.cloud-init.instance-id", new_uuid().str());
  config["volatile.last_state.idmap"] = "[]";  // nothing on disk is ever shifted
  Draft draft{.row = {.uuid = uuid,
                      .project = request.project,
                      .name = name,
                      .owner_uid = who.uid,
                      .architecture = std::move(architecture),
                      .created_at = was.created_at == kNever ? context_.clock.now() : was.created_at,
                      .last_used_at = backup.last_used_at,
                      .ephemeral = was.ephemeral,
                      .description = backup.description,
                      .profiles = was.profiles,
                      .config = std::move(config),
                      .devices = std::move(devices),
                      .pool = root->pool},
              .expanded = std::move(all),
              .snapshots = {},
              .shifts = {},
              .shift = was.shift,
              .driver = driver};
  for (const auto& [snapshot_name, expires_at, tree] : backup.snapshots) {
    ConfigMap then = restored_config(tree.config);
    BERTH_CHECK(validate_config(then, ConfigOwner::Instance));
    BERTH_CHECK(validate_devices(tree.devices));
    BERTH_TRY(auto snapshot_architecture, runnable(tree.architecture));
    draft.snapshots.push_back({.uuid = new_uuid(),
                               .instance = uuid,
                               .name = snapshot_name,
                               .created_at = tree.created_at == kNever ? context_.clock.now() : tree.created_at,
                               .expires_at = expires_at,
                               .architecture = std::move(snapshot_architecture),
                               .ephemeral = tree.ephemeral,
                               .profiles = tree.profiles,
                               .config = std::move(then),
                               .devices = tree.devices});
    draft.shifts.push_back(tree.shift);
  }
  return draft;
}

Result<void> BackupImport::make(const Draft& draft, int file, OperationContext& operation) {
  const auto& uuid = draft.row.uuid;
  std::vector<std::string> trees;
  for (const auto& snapshot : draft.snapshots) trees.push_back(snapshot.uuid.str());
  BERTH_TRY(const auto intent, begin_creation(context_, draft.row, trees));
  CreationUndo undo(context_.store, intent);
  // Of trees that were filled before a later one failed, some are there.
  undo.add([&] { return draft.driver->delete_root(uuid); });
  for (const auto& snapshot : draft.snapshots)
    undo.add([&draft, to = ports::TreeId{uuid, snapshot.uuid}] { return draft.driver->delete_snapshot(to); });
  undo.add([&] { return context_.metadata.remove(uuid); });
  BERTH_CHECK(unpack(draft, file, operation));

  return commit_creation(context_, draft.row, draft.expanded, draft.snapshots, intent, undo);
}

/// One pass over the archive fills all trees: each is given its folder inside the making of the one before.
Result<void> BackupImport::unpack(const Draft& draft, int file, OperationContext& operation) {
  BERTH_TRY(const auto templates, context_.backups.make_scratch());
  ports::BackupPlaces places{.root = -1, .shift = draft.shift, .templates = templates.folder.get(), .snapshots = {}};
  const auto progress = [&operation](std::uint64_t bytes) {
    operation.set_progress("create_instance_from_backup_unpack", "Unpack", bytes, 0);
  };
  ports::UnpackedBackup unpacked;
  std::function<Result<void>()> fill = [&]() -> Result<void> {
    const auto next = places.snapshots.size();
    if (next == draft.snapshots.size()) {
      BERTH_TRY(unpacked, context_.archives.unpack_backup(file, places, progress,
                                                          [&operation] { return operation.cancelled(); }));
      return {};
    }
    return draft.driver->fill_tree({draft.row.uuid, draft.snapshots[next].uuid}, [&, next](int folder) {
      places.snapshots.push_back({draft.snapshots[next].name.str(), folder, draft.shifts[next]});
      return fill();
    });
  };
  BERTH_CHECK(draft.driver->fill_tree({draft.row.uuid, {}}, [&](int folder) {
    places.root = folder;
    return fill();
  }));
  if (!unpacked.metadata) return {};
  BERTH_CHECK(context_.metadata.write(draft.row.uuid, *unpacked.metadata));
  BERTH_TRY(const auto names, folder_names(templates.folder.get()));
  for (const auto& text : names) {
    BERTH_TRY(const auto name, TemplateName::parse(text));
    const UniqueFd content(openat(templates.folder.get(), text.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!content) return system_error("cannot read a template of the backup", errno);
    BERTH_CHECK(context_.metadata.write_template(draft.row.uuid, name, content.get()));
  }
  return {};
}

}  // namespace berth::services
