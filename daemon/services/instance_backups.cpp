#include "daemon/services/instance_backups.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "base/log.hpp"
#include "daemon/domain/backup_document.hpp"
#include "daemon/domain/project_policy.hpp"
#include "daemon/domain/server_keys.hpp"
#include "daemon/services/byte_pump.hpp"
#include "daemon/services/guest_archive.hpp"
#include "daemon/services/instance_support.hpp"
#include "daemon/services/lifecycle_events.hpp"

namespace berth::services {
namespace {

constexpr std::chrono::hours kExpiryInterval{1};
constexpr std::size_t kMostBackups = 1000;  // of one instance

Error no_backup() { return Error{Code::NotFound, "Load backup from database: Instance backup not found"}; }

Error backup_exists(const Instance& instance, const BackupName& name) {
  return Error{Code::AlreadyExists,
               "Create backup: Backup \"" + instance.name.str() + "/" + name.str() + "\" already exists"};
}

Result<Backup> find(Context& context, const Instance& instance, const BackupName& name) {
  BERTH_TRY(const auto all, context.backups.list(instance.uuid));
  for (const auto& one : all)
    if (one.name == name) return one;
  return no_backup();
}

/// `backup` and the number after the highest one.
Result<BackupName> next_name(Context& context, const Instance& instance) {
  BERTH_TRY(const auto all, context.backups.list(instance.uuid));
  std::uint64_t next = 0;
  constexpr std::string_view kPrefix = "backup";
  for (const auto& one : all) {
    const auto& text = one.name.str();
    const auto digits = text.substr(std::min(text.size(), kPrefix.size()));
    if (!text.starts_with(kPrefix) || digits.empty() || digits.size() > 9 ||
        digits.find_first_not_of("0123456789") != std::string::npos)
      continue;
    next = std::max<std::uint64_t>(next, std::stoul(digits) + 1);
  }
  return BackupName::parse(std::string(kPrefix) + std::to_string(next));
}

Result<BackupSubject> subject_of(Context& context, const Instance& instance, bool with_snapshots) {
  BackupSubject out{.instance = instance, .expanded = {}, .snapshots = {}, .profiles = {}};
  BERTH_TRY(const auto known, context.store.profiles(daemon_principal(), instance.project));
  BERTH_TRY(out.expanded, expand(instance, known));
  const auto picked = [&known](const std::vector<ProfileName>& names) {
    std::vector<Profile> profiles;
    for (const auto& name : names)
      for (const auto& profile : known)
        if (profile.name == name) profiles.push_back(profile);
    return profiles;
  };
  out.profiles = picked(instance.profiles);
  if (!with_snapshots) return out;
  BERTH_TRY(const auto snapshots, context.store.snapshots(instance.uuid));
  for (const auto& snapshot : snapshots)
    out.snapshots.emplace_back(snapshot, expand(picked(snapshot.profiles), snapshot.config, snapshot.devices));
  return out;
}

Result<ports::PackRequest> pack_request(Context& context, const Instance& instance, const BackupRequest& request,
                                        const RootSpec& root) {
  BERTH_TRY(auto* const driver, driver_of(context, instance.pool));
  BERTH_TRY(const auto subject, subject_of(context, instance, !request.instance_only));
  ports::PackRequest out;
  BERTH_TRY(out.compression, chosen_compression(context, request.compression, kBackupCompressionKey));
  out.files.push_back({"backup/index.yaml", backup_index(subject)});  // who restores it reads this first
  for (const auto& [snapshot, expanded] : subject.snapshots) {
    const std::string at = "backup/snapshots/" + snapshot.name.str() + "/";
    BERTH_TRY(auto files, metadata_files(context, instance, at, {}));
    std::move(files.begin(), files.end(), std::back_inserter(out.files));
    BERTH_TRY(auto tree, driver->tree({instance.uuid, snapshot.uuid}));
    out.trees.push_back({at + "rootfs", std::move(tree)});
  }
  out.files.push_back({"backup/container/backup.yaml", backup_config(subject)});
  BERTH_TRY(auto files, metadata_files(context, instance, "backup/container/", {}));
  std::move(files.begin(), files.end(), std::back_inserter(out.files));
  out.trees.push_back({"backup/container/rootfs", root});
  return out;
}

/// Writes the archive of an instance whose lock is held.
Result<void> pack(Context& context, const Instance& instance, const BackupRequest& request, int target,
                  OperationContext& operation) {
  BERTH_TRY(const auto still, StillRoot::of(context, instance));
  BERTH_TRY(const auto wanted, pack_request(context, instance, request, still.root()));
  BERTH_TRY(auto packing, context.archives.pack(wanted, target));
  const auto progress = [&operation](std::uint64_t bytes) {
    operation.set_progress("create_backup", "", bytes, 0);  // what it is, lxc says itself
  };
  BERTH_CHECK(packing.wait(progress, [&operation] { return operation.cancelled(); }));
  return {};
}

/// A restricted project may keep its instances to itself.
Result<void> judge(Context& context, const ProjectName& name) {
  BERTH_TRY(const auto project, context.store.project(daemon_principal(), name));
  return judge_backups(project);
}

Result<void> check(Context& context, const BackupRequest& request) {
  if (request.optimized)
    return Error{Code::NotSupported,
                 "Backups in the form of the storage driver are not supported on this server: leave out the option"};
  BERTH_CHECK(chosen_compression(context, request.compression, kBackupCompressionKey));
  return {};
}

}  // namespace

Result<OperationId> InstanceBackups::create(const Principal& who, const InstanceRef& of, BackupRequest request) {
  BERTH_CHECK(check(context_, request));
  BERTH_CHECK(judge(context_, of.project));
  BERTH_TRY(auto locked, lock_named(context_, who, of.project, of.name, "backup"));
  const auto& instance = locked.instance;
  BERTH_TRY(const auto kept, context_.backups.list(instance.uuid));
  if (kept.size() >= kMostBackups)
    return Error{Code::LimitsExceeded, shown(instance.name) + " has 1,000 backups: delete some"};
  if (!request.name) {
    BERTH_TRY(request.name, next_name(context_, instance));
  } else if (find(context_, instance, *request.name)) {
    return backup_exists(instance, *request.name);
  }
  auto spec = instance_operation(who, instance, "Backing up instance");
  spec.resources["backups"] = {request.name->str()};
  spec.cancellable = true;
  return start_locked(context_, std::move(spec), std::move(locked.lock),
                      [&context = context_, who, instance, request](OperationContext& operation) -> Result<Document> {
                        const Backup backup{.name = *request.name,
                                            .created_at = context.clock.now(),
                                            .expires_at = request.expires_at,
                                            .instance_only = request.instance_only};
                        BERTH_TRY(auto file, context.backups.begin());
                        BERTH_CHECK(pack(context, instance, request, file.get(), operation));
                        BERTH_CHECK(context.backups.commit(instance.uuid, backup, std::move(file)));
                        publish_lifecycle(context, who, instance, "instance-backup-created",
                                          Document{{"backup", backup.name.str()}});
                        return Document{};
                      });
}

Result<OperationId> InstanceBackups::stream(const Principal& who, const InstanceRef& of, BackupRequest request,
                                            UniqueFd target) {
  BERTH_CHECK(check(context_, request));
  BERTH_CHECK(judge(context_, of.project));
  BERTH_TRY(auto outlet, Outlet::open(std::move(target)));
  BERTH_TRY(auto locked, lock_named(context_, who, of.project, of.name, "backup"));
  const auto instance = locked.instance;
  auto spec = instance_operation(who, instance, "Exporting instance");
  spec.cancellable = true;
  return start_locked(
      context_, std::move(spec), std::move(locked.lock),
      [&context = context_, instance, request,
       to = std::make_shared<std::optional<Outlet>>(std::move(outlet))](OperationContext& operation) -> Result<Document> {
        const auto packed = pack(context, instance, request, (*to)->fd(), operation);
        to->reset();  // whoever reads sees the end before it hears of it
        BERTH_CHECK(packed);
        return Document{};
      });
}

Result<std::vector<Document>> InstanceBackups::describe(const Principal& who, const InstanceRef& of,
                                                        const std::optional<BackupName>& name) {
  BERTH_TRY(const auto instance, context_.store.instance(who, of.project, of.name));
  std::vector<Document> rows;
  if (name) {
    BERTH_TRY(const auto one, find(context_, instance, *name));
    rows.push_back(backup_document(one));
    return rows;
  }
  BERTH_TRY(const auto all, context_.backups.list(instance.uuid));
  for (const auto& one : all) rows.push_back(backup_document(one));
  return rows;
}

Result<OperationId> InstanceBackups::rename(const Principal& who, const InstanceRef& of, const BackupName& name,
                                            const BackupName& to) {
  BERTH_TRY(auto locked, lock_named(context_, who, of.project, of.name, "rename a backup"));
  BERTH_CHECK(find(context_, locked.instance, name));
  if (find(context_, locked.instance, to)) return backup_exists(locked.instance, to);
  auto spec = instance_operation(who, locked.instance, "Renaming instance backup");
  return start_locked(
      context_, std::move(spec), std::move(locked.lock),
      [&context = context_, who, instance = locked.instance, name, to](OperationContext&) -> Result<Document> {
        BERTH_CHECK(context.backups.rename(instance.uuid, name, to));
        publish_lifecycle(context, who, instance, "instance-backup-renamed",
                          Document{{"backup", to.str()}, {"old_name", name.str()}});
        return Document{};
      });
}

Result<OperationId> InstanceBackups::remove(const Principal& who, const InstanceRef& of, const BackupName& name) {
  BERTH_TRY(auto locked, lock_named(context_, who, of.project, of.name, "delete a backup"));
  BERTH_CHECK(find(context_, locked.instance, name));
  auto spec = instance_operation(who, locked.instance, "Removing instance backup");
  spec.resources = {{"container", {of.name.str()}}};  // LXD's word for it, in this one operation
  return start_locked(
      context_, std::move(spec), std::move(locked.lock),
      [&context = context_, who, instance = locked.instance, name](OperationContext&) -> Result<Document> {
        BERTH_CHECK(context.backups.remove(instance.uuid, name));
        publish_lifecycle(context, who, instance, "instance-backup-deleted", Document{{"backup", name.str()}});
        return Document{};
      });
}

Result<std::uint64_t> InstanceBackups::send(const Principal& who, const InstanceRef& of, const BackupName& name,
                                            UniqueFd target) {
  BERTH_TRY(const auto instance, context_.store.instance(who, of.project, of.name));
  BERTH_CHECK(find(context_, instance, name));
  BERTH_TRY(auto opened, context_.backups.open(instance.uuid, name));
  BERTH_TRY(auto outlet, Outlet::open(std::move(target)));
  struct stat info {};
  if (fstat(opened.get(), &info) != 0) return system_error("cannot look at the backup", errno);
  publish_lifecycle(context_, who, instance, "instance-backup-retrieved", Document{{"backup", name.str()}});
  context_.workers.submit_long([file = std::make_shared<UniqueFd>(std::move(opened)),
                                to = std::make_shared<Outlet>(std::move(outlet)), &operations = context_.operations] {
    if (const auto sent = to->send(file->get(), [&operations] { return operations.closing(); }); !sent)
      log::warning("A backup was not sent to its end: " + sent.error().message);
  });
  return static_cast<std::uint64_t>(info.st_size);
}

void InstanceBackups::keep_expiring() {
  if (const auto deleted = delete_expired(); !deleted)
    log::warning("Expired backups could not be deleted: " + deleted.error().message);
  context_.workers.submit_after(kExpiryInterval, [this] {
    if (!context_.operations.closing()) context_.workers.submit_long([this] { keep_expiring(); });
  });
}

Result<std::size_t> InstanceBackups::delete_expired() {
  const auto now = context_.clock.now();
  BERTH_TRY(const auto instances, context_.backups.instances());
  std::size_t count = 0;
  for (const auto& uuid : instances) {
    const auto lock = context_.locks.lock(instance_entity(uuid), "The instance", "delete expired backups",
                                          EntityLocks::Purpose::Cleanup);
    if (!lock) continue;  // the next hour will do
    const auto instance = context_.store.instance_by_uuid(uuid);
    if (!instance && instance.error().code == Code::NotFound) {
      BERTH_CHECK(context_.backups.remove_all(uuid));  // what a crash left of an instance that was being deleted
      continue;
    }
    BERTH_TRY(const auto all, context_.backups.list(uuid));
    for (const auto& one : all) {
      if (one.expires_at == kNever || one.expires_at > now) continue;
      BERTH_CHECK(context_.backups.remove(uuid, one.name));
      ++count;
      if (instance)
        publish_lifecycle(context_, daemon_principal(), *instance, "instance-backup-deleted",
                          Document{{"backup", one.name.str()}});
    }
  }
  return count;
}

}  // namespace berth::services
