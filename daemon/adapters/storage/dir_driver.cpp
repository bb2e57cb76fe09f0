#include "daemon/adapters/storage/dir_driver.hpp"

#include <fcntl.h>

#include <cerrno>

#include "base/tree.hpp"
#include "daemon/adapters/storage/plain_root.hpp"

namespace berth::adapters {

Result<std::unique_ptr<ports::StorageDriver>> DirDriver::open(const std::string& folder, const std::string& helper) {
  BERTH_TRY(PoolFolder pool, PoolFolder::open(folder));
  const bool reflink = supports_reflink(pool.fd());
  return std::unique_ptr<ports::StorageDriver>(new DirDriver(std::move(pool), helper, reflink));
}

Result<void> DirDriver::ensure_image(const Fingerprint&, const std::string& tree) {
  BERTH_TRY(const UniqueFd folder, open_folder(tree));
  return {};
}

// A copy needs its image no more.
Result<void> DirDriver::remove_image(const Fingerprint&) { return {}; }

Result<void> DirDriver::create_root(const Uuid& instance, const Fingerprint&, const std::string& tree, bool) {
  return pool_.create(instance, [&](int folder) { return copy_plain_root(helper_, tree, folder); });
}

Result<void> DirDriver::create_empty_root(const Uuid& instance) {
  return pool_.create(instance, make_empty_plain_root);
}

Result<void> DirDriver::convert_to_plain(const Uuid& instance) {
  BERTH_TRY(const UniqueFd folder, pool_.instance(instance));
  return {};
}

Result<ports::RootSpec> DirDriver::root(const Uuid& instance) { return tree({instance, {}}); }

Result<ports::RootSpec> DirDriver::tree(const ports::TreeId& tree) {
  BERTH_TRY(const UniqueFd folder, pool_.instance(uuid_of(tree), shelf_of(tree)));
  return ports::RootSpec{.kind = ports::RootSpec::Kind::Plain,
                         .plain = pool_.instance_path(uuid_of(tree), shelf_of(tree)) + "/rootfs"};
}

Result<void> DirDriver::fill_tree(const ports::TreeId& to, const std::function<Result<void>(int)>& fill) {
  return pool_.create(uuid_of(to), [&](int folder) { return fill_plain_root(folder, fill); }, shelf_of(to));
}

Result<void> DirDriver::delete_root(const Uuid& instance) { return pool_.remove(instance); }

Result<void> DirDriver::fill_copy(const ports::TreeId& from, int folder) {
  BERTH_TRY(const UniqueFd source, pool_.instance(uuid_of(from), shelf_of(from)));
  return copy_folder(helper_, source.get(), "rootfs", folder, "rootfs");
}

Result<void> DirDriver::copy_tree(const ports::TreeId& from, const ports::TreeId& to) {
  return pool_.create(uuid_of(to), [&](int folder) { return fill_copy(from, folder); }, shelf_of(to));
}

Result<void> DirDriver::replace_tree(const ports::TreeId& from, const ports::TreeId& to) {
  BERTH_TRY(const UniqueFd there, pool_.instance(uuid_of(to), shelf_of(to)));
  return pool_.replace(uuid_of(to), [&](int folder) { return fill_copy(from, folder); }, shelf_of(to));
}

Result<void> DirDriver::delete_snapshot(const ports::TreeId& snapshot) {
  return pool_.remove(uuid_of(snapshot), shelf_of(snapshot));
}

Result<std::uint64_t> DirDriver::usage(const Uuid& instance) {
  BERTH_TRY(const UniqueFd folder, pool_.instance(instance));
  const UniqueFd root(openat(folder.get(), "rootfs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!root) return system_error("cannot open the root of " + instance.str(), errno);
  return disk_usage(root.get());
}

Result<void> DirDriver::empty_trash() { return pool_.empty_trash(); }

Result<std::vector<Uuid>> DirDriver::roots() { return pool_.instances(); }

}  // namespace berth::adapters
