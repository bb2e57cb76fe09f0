#include "daemon/helpers/check_tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/unique_fd.hpp"
#include "daemon/helpers/member_path.hpp"
#include "daemon/helpers/report.hpp"

namespace berth::helpers {
namespace {

struct CloseDir {
  void operator()(DIR* dir) const noexcept { closedir(dir); }
};

struct Level {
  std::unique_ptr<DIR, CloseDir> dir;
  std::string path;
};

Result<Level> open_level(int parent, const char* name, std::string path) {
  UniqueFd fd(openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  DIR* const dir = fd ? fdopendir(fd.get()) : nullptr;
  if (dir == nullptr) return system_error("cannot look into " + shown(path), errno);
  (void)fd.release();
  return Level{std::unique_ptr<DIR, CloseDir>(dir), std::move(path)};
}

/// Whether the entry `name` of the current folder has an overlay attribute.
bool has_overlay_attribute(const char* name) {
  std::array<char, 65536> names;  // the kernel's bound of a list
  const ssize_t length = llistxattr(name, names.data(), names.size());
  for (ssize_t at = 0; at < length;) {
    const std::string_view attribute(names.data() + at);
    if (is_overlay_attribute(attribute)) return true;
    at += static_cast<ssize_t>(attribute.size()) + 1;
  }
  return false;
}

}  // namespace

bool is_overlay_attribute(std::string_view xattr) noexcept {
  return xattr.starts_with("user.overlay.") || xattr.starts_with("trusted.overlay.");
}

Result<TreeFacts> check_tree(int root, std::uint64_t max_members) {
  TreeFacts facts;
  std::vector<Level> levels;
  BERTH_TRY(Level top, open_level(root, ".", ""));
  levels.push_back(std::move(top));
  if (fchdir(root) != 0) return system_error("cannot enter the tree", errno);
  facts.overlay_marks = has_overlay_attribute(".");
  while (!levels.empty()) {
    DIR* const dir = levels.back().dir.get();
    const dirent* const entry = readdir(dir);
    if (entry == nullptr) {
      levels.pop_back();
      if (!levels.empty() && fchdir(dirfd(levels.back().dir.get())) != 0)
        return system_error("cannot enter a folder of the tree", errno);
      continue;
    }
    const char* const name = entry->d_name;
    if (std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0) continue;
    const std::string path = levels.back().path.empty() ? std::string(name) : levels.back().path + "/" + name;
    if (++facts.members > max_members) return Error{Code::LimitsExceeded, "the image has too many files"};
    struct stat info {};
    if (fstatat(dirfd(dir), name, &info, AT_SYMLINK_NOFOLLOW) != 0)
      return system_error("cannot look at " + shown(path), errno);
    if (!S_ISDIR(info.st_mode) && info.st_nlink > 0)
      facts.bytes += static_cast<std::uint64_t>(info.st_blocks) * 512 / static_cast<std::uint64_t>(info.st_nlink);
    if (S_ISCHR(info.st_mode) && info.st_rdev == 0) {
      facts.overlay_marks = true;
    } else if (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode)) {
      return Error{Code::InvalidArgument, "the image holds the device node " + shown(path)};
    }
    // Symlinks cannot carry user attributes, and no trusted ones came in.
    if (!facts.overlay_marks && !S_ISLNK(info.st_mode)) facts.overlay_marks = has_overlay_attribute(name);
    if (!S_ISDIR(info.st_mode)) continue;
    if (levels.size() >= kMaxPathDepth)
      return Error{Code::LimitsExceeded, "the folder " + shown(path) + " is nested too deeply"};
    BERTH_TRY(Level next, open_level(dirfd(dir), name, path));
    if (fchdir(dirfd(next.dir.get())) != 0) return system_error("cannot enter " + shown(path), errno);
    levels.push_back(std::move(next));
  }
  return facts;
}

}  // namespace berth::helpers
