#include "daemon/adapters/storage/pool_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>

#include "base/tree.hpp"

namespace berth::adapters {
namespace {

std::string called(const Uuid& uuid, PoolFolder::Shelf shelf) {
  return (shelf == PoolFolder::Shelf::Instances ? "the instance " : "the snapshot ") + uuid.str();
}

}  // namespace

Result<PoolFolder> PoolFolder::open(const std::string& path) {
  PoolFolder pool;
  pool.path_ = path;
  BERTH_TRY(pool.folder_, make_folder(path));
  BERTH_TRY(pool.instances_, make_folder_at(pool.folder_.get(), "instances"));
  BERTH_TRY(pool.snapshots_, make_folder_at(pool.folder_.get(), "snapshots"));
  BERTH_TRY(pool.staging_, make_folder_at(pool.folder_.get(), "staging"));
  BERTH_TRY(pool.trash_, make_folder_at(pool.folder_.get(), "trash"));
  BERTH_TRY(const std::vector<std::string> left, folder_names(pool.staging_.get()));
  for (const std::string& name : left)
    if (renameat(pool.staging_.get(), name.c_str(), pool.trash_.get(), new_uuid().str().c_str()) != 0)
      return system_error("cannot clear the staging folder of " + path, errno);
  return pool;
}

Result<void> PoolFolder::make(const std::string& name, const std::function<Result<void>(int)>& fill) {
  BERTH_TRY(const UniqueFd folder, make_folder_at(staging_.get(), name));
  Result<void> filled = fill(folder.get());
  if (!filled) (void)remove_tree(staging_.get(), name);
  return filled;
}

Result<void> PoolFolder::create(const Uuid& uuid, const std::function<Result<void>(int)>& fill, Shelf shelf) {
  const auto exists = [&] {
    return Error{Code::AlreadyExists, called(uuid, shelf) + " has a root already"};
  };
  if (faccessat(shelf_fd(shelf), uuid.str().c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0) return exists();
  const std::string name = new_uuid().str();
  BERTH_CHECK(make(name, fill));
  if (renameat2(staging_.get(), name.c_str(), shelf_fd(shelf), uuid.str().c_str(), RENAME_NOREPLACE) == 0)
    return {};
  const int failed = errno;
  (void)remove_tree(staging_.get(), name);
  if (failed == EEXIST) return exists();
  return system_error("cannot put the root of " + called(uuid, shelf) + " in place", failed);
}

Result<void> PoolFolder::replace(const Uuid& uuid, const std::function<Result<void>(int)>& fill, Shelf shelf) {
  const std::string name = new_uuid().str();
  BERTH_CHECK(make(name, fill));
  if (renameat2(staging_.get(), name.c_str(), shelf_fd(shelf), uuid.str().c_str(), RENAME_EXCHANGE) != 0) {
    const int failed = errno;
    (void)remove_tree(staging_.get(), name);
    return system_error("cannot put the root of " + called(uuid, shelf) + " in place", failed);
  }
  if (renameat(staging_.get(), name.c_str(), trash_.get(), name.c_str()) != 0)
    return system_error("cannot put the old root of " + called(uuid, shelf) + " aside", errno);
  return {};
}

Result<void> PoolFolder::remove(const Uuid& uuid, Shelf shelf) {
  if (renameat(shelf_fd(shelf), uuid.str().c_str(), trash_.get(), new_uuid().str().c_str()) != 0 &&
      errno != ENOENT)
    return system_error("cannot remove the root of " + called(uuid, shelf), errno);
  return {};
}

Result<void> PoolFolder::empty_trash() { return empty_folder(trash_.get()); }

Result<UniqueFd> PoolFolder::instance(const Uuid& uuid, Shelf shelf) const {
  UniqueFd fd(openat(shelf_fd(shelf), uuid.str().c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return Error{Code::NotFound, called(uuid, shelf) + " has no root in this pool"};
  return fd;
}

Result<std::vector<Uuid>> PoolFolder::instances(Shelf shelf) const {
  BERTH_TRY(const std::vector<std::string> names, folder_names(shelf_fd(shelf)));
  std::vector<Uuid> out;
  for (const std::string& name : names)
    if (auto uuid = Uuid::parse(name)) out.push_back(*std::move(uuid));
  return out;
}

}  // namespace berth::adapters
