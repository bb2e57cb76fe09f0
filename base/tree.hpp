#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace berth {

/// Access to folder trees by descriptor. No function here follows a symlink, crosses into another file system or builds
/// a path from a name found in a tree, so a tree may be written by a guest (rules 1 and 2).

/// Opens a folder for use as the start of openat(2). The path is the daemon's own. Errors: NotFound, Internal.
Result<UniqueFd> open_folder(const std::string& path);
/// Makes the folder if it is absent (mode 0700, owned by the caller) and opens it; its parent must exist.
Result<UniqueFd> make_folder(const std::string& path);
Result<UniqueFd> make_folder_at(int parent, const std::string& name, mode_t mode = 0700);

/// Removes everything below `name` in `parent`, then `name` itself; absent is success. Any depth. Long.
Result<void> remove_tree(int parent, const std::string& name);
/// remove_tree() of every entry of the folder.
Result<void> empty_folder(int folder);

/// Names in the folder, in no order.
Result<std::vector<std::string>> folder_names(int folder);

/// Bytes on disk below the folder, hard links counted once for each name. Folders nested deeper than 256 are not looked
/// into.
Result<std::uint64_t> disk_usage(int folder);

}  // namespace berth
