#include "daemon/adapters/image/file_backup_store.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <tuple>

#include "base/log.hpp"
#include "base/tree.hpp"

namespace berth::adapters {
namespace {

using nlohmann::json;

constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr std::size_t kMaxRecord = 64 << 10;

Error no_backup(const BackupName& name) { return Error{Code::NotFound, "There is no backup \"" + name.str() + "\""}; }

Error step_error(const std::string& step, int saved_errno) {
  if (saved_errno == ENOSPC || saved_errno == EDQUOT)
    return Error{Code::Unavailable, "the disk is full: " + step + "; free some space and try again"};
  return system_error(step, saved_errno);
}

/// Written beside and put in place, so that it is the old one or the new one.
Result<void> write_record(int folder, const Backup& backup) {
  const std::string text = json{{"name", backup.name.str()},
                                {"created_at", backup.created_at.time_since_epoch().count()},
                                {"expires_at", backup.expires_at.time_since_epoch().count()},
                                {"instance_only", backup.instance_only}}
                               .dump(2, ' ', true, json::error_handler_t::replace);
  const UniqueFd file(openat(folder, "meta.json.new", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file || write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      fsync(file.get()) != 0 || renameat(folder, "meta.json.new", folder, "meta.json") != 0)
    return step_error("cannot note what a backup is", errno);
  return {};
}

Result<Backup> read_record(int folder) {
  const Error damaged{Code::Internal, "what is known of a backup cannot be read"};
  const UniqueFd file(openat(folder, "meta.json", O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  std::string text(kMaxRecord, '\0');
  const ssize_t size = file ? read(file.get(), text.data(), text.size()) : -1;
  if (size < 0) return damaged;
  text.resize(static_cast<std::size_t>(size));
  const json object = json::parse(text, nullptr, false);
  const auto number = [&](const char* name) { return object.contains(name) && object[name].is_number_integer(); };
  if (!object.is_object() || !object.contains("name") || !object["name"].is_string() || !number("created_at") ||
      !number("expires_at") || !object.contains("instance_only") || !object["instance_only"].is_boolean())
    return damaged;
  BERTH_TRY(auto name, BackupName::parse(object["name"].get<std::string>()));
  const auto time = [&](const char* field) { return Timestamp(std::chrono::microseconds(object[field].get<std::int64_t>())); };
  return Backup{.name = std::move(name),
                .created_at = time("created_at"),
                .expires_at = time("expires_at"),
                .instance_only = object["instance_only"].get<bool>()};
}

}  // namespace

struct FileBackupStore::Kept {
  Backup backup;
  UniqueFd folder;
  std::string name;  ///< of the folder
};

Result<std::unique_ptr<FileBackupStore>> FileBackupStore::open(const std::string& folder) {
  BERTH_TRY(UniqueFd top, make_folder(folder));
  BERTH_TRY(UniqueFd staging, make_folder_at(top.get(), "staging"));
  BERTH_CHECK(empty_folder(staging.get()));
  return std::unique_ptr<FileBackupStore>(new FileBackupStore(std::move(top), std::move(staging)));
}

Result<UniqueFd> FileBackupStore::begin() {
  UniqueFd file(openat(staging_.get(), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!file) return step_error("cannot make a file for a backup", errno);
  return file;
}

Result<ports::ScratchFolder> FileBackupStore::make_scratch() {
  const std::string name = new_uuid().str();
  BERTH_TRY(UniqueFd folder, make_folder_at(staging_.get(), name));
  const auto remove = [name, staging = staging_.get()](void*) { (void)remove_tree(staging, name); };
  return ports::ScratchFolder{.folder = std::move(folder), .kept = std::shared_ptr<void>(nullptr, remove)};
}

Result<void> FileBackupStore::commit(const Uuid& instance, const Backup& backup, UniqueFd file) {
  if (find(instance, backup.name)) return Error{Code::AlreadyExists, "Backup \"" + backup.name.str() + "\" already exists"};
  const std::string name = new_uuid().str();
  BERTH_TRY(const UniqueFd made, make_folder_at(staging_.get(), name));
  const auto put_in_place = [&]() -> Result<void> {
    BERTH_CHECK(write_record(made.get(), backup));
    if (fsync(file.get()) != 0) return step_error("cannot write a backup to the disk", errno);
    const std::string path = "/proc/self/fd/" + std::to_string(file.get());
    if (linkat(AT_FDCWD, path.c_str(), made.get(), "backup", AT_SYMLINK_FOLLOW) != 0)
      return step_error("cannot keep a backup", errno);
    BERTH_TRY(const UniqueFd folder, make_folder_at(folder_.get(), instance.str()));
    if (renameat(staging_.get(), name.c_str(), folder.get(), name.c_str()) != 0)
      return step_error("cannot keep a backup", errno);
    if (fsync(folder.get()) != 0) return step_error("cannot write a backup to the disk", errno);
    return {};
  };
  auto kept = put_in_place();
  if (!kept) (void)remove_tree(staging_.get(), name);
  return kept;
}

Result<std::vector<FileBackupStore::Kept>> FileBackupStore::kept(const Uuid& instance) {
  std::vector<Kept> out;
  const UniqueFd top(openat(folder_.get(), instance.str().c_str(), kFolderFlags));
  if (!top && errno == ENOENT) return out;
  if (!top) return system_error("cannot open the backups of an instance", errno);
  BERTH_TRY(const auto names, folder_names(top.get()));
  for (const auto& name : names) {
    UniqueFd folder(openat(top.get(), name.c_str(), kFolderFlags));
    if (!folder) continue;  // removed meanwhile
    auto backup = read_record(folder.get());
    if (!backup) {
      log::warning("A backup is left out: " + backup.error().message, {{"BERTH_INSTANCE_UUID", instance.str()}});
      continue;
    }
    out.push_back({*std::move(backup), std::move(folder), name});
  }
  std::sort(out.begin(), out.end(), [](const Kept& a, const Kept& b) {
    return std::tie(a.backup.created_at, a.backup.name) < std::tie(b.backup.created_at, b.backup.name);
  });
  return out;
}

Result<FileBackupStore::Kept> FileBackupStore::find(const Uuid& instance, const BackupName& name) {
  BERTH_TRY(auto all, kept(instance));
  for (auto& one : all)
    if (one.backup.name == name) return std::move(one);
  return no_backup(name);
}

Result<std::vector<Backup>> FileBackupStore::list(const Uuid& instance) {
  BERTH_TRY(const auto all, kept(instance));
  std::vector<Backup> out;
  for (const auto& one : all) out.push_back(one.backup);
  return out;
}

Result<UniqueFd> FileBackupStore::open(const Uuid& instance, const BackupName& name) {
  BERTH_TRY(const auto it, find(instance, name));
  UniqueFd file(openat(it.folder.get(), "backup", O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return system_error("cannot open the backup " + name.str(), errno);
  return file;
}

Result<void> FileBackupStore::rename(const Uuid& instance, const BackupName& name, const BackupName& to) {
  BERTH_TRY(auto it, find(instance, name));
  if (find(instance, to)) return Error{Code::AlreadyExists, "Backup \"" + to.str() + "\" already exists"};
  it.backup.name = to;
  return write_record(it.folder.get(), it.backup);
}

Result<void> FileBackupStore::remove(const Uuid& instance, const BackupName& name) {
  BERTH_TRY(const auto it, find(instance, name));
  const UniqueFd top(openat(folder_.get(), instance.str().c_str(), kFolderFlags));
  if (!top) return system_error("cannot open the backups of an instance", errno);
  // Out of sight in one step; what is not removed then goes when the daemon starts anew.
  if (renameat(top.get(), it.name.c_str(), staging_.get(), it.name.c_str()) != 0)
    return system_error("cannot remove the backup " + name.str(), errno);
  (void)remove_tree(staging_.get(), it.name);
  (void)unlinkat(folder_.get(), instance.str().c_str(), AT_REMOVEDIR);  // if it was the last
  return {};
}

Result<void> FileBackupStore::remove_all(const Uuid& instance) {
  const std::string name = new_uuid().str();
  if (renameat(folder_.get(), instance.str().c_str(), staging_.get(), name.c_str()) != 0)
    return errno == ENOENT ? Result<void>() : Result<void>(system_error("cannot remove the backups of an instance", errno));
  return remove_tree(staging_.get(), name);
}

Result<std::vector<Uuid>> FileBackupStore::instances() {
  BERTH_TRY(const auto names, folder_names(folder_.get()));
  std::vector<Uuid> out;
  for (const auto& name : names)
    if (auto uuid = Uuid::parse(name)) out.push_back(*std::move(uuid));
  return out;
}

}  // namespace berth::adapters
