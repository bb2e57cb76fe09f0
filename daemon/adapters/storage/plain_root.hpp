#pragma once

#include <functional>
#include <string>

#include "base/result.hpp"
#include "daemon/adapters/storage/pool_folder.hpp"
#include "daemon/ports/storage_driver.hpp"

namespace berth::adapters {

/// Fills `folder`/rootfs with a copy of the tree at `tree`, by berth-helper. Errors: NotFound, Unavailable (disk full).
Result<void> copy_plain_root(const std::string& helper, const std::string& tree, int folder);
/// Makes the folder `name` in `to` as a copy of `source` (a path of the daemon's own) in `from`, by berth-helper.
Result<void> copy_folder(const std::string& helper, int from, const char* source, int to, const char* name);
/// `folder`/rootfs as an empty folder of the guest's root.
Result<void> make_empty_plain_root(int folder);
/// `folder`/rootfs with what `fill` puts into it.
Result<void> fill_plain_root(int folder, const std::function<Result<void>(int folder)>& fill);
/// Whether files in `folder` can share blocks; tried with two small files.
bool supports_reflink(int folder);

/// The folder of a tree: which one, and where.
inline const Uuid& uuid_of(const ports::TreeId& tree) { return tree.snapshot ? *tree.snapshot : tree.instance; }
inline PoolFolder::Shelf shelf_of(const ports::TreeId& tree) {
  return tree.snapshot ? PoolFolder::Shelf::Snapshots : PoolFolder::Shelf::Instances;
}

}  // namespace berth::adapters
