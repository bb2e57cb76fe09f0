#include "base/tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include "base/names.hpp"

namespace berth {
namespace {

constexpr int kMaxOpenLevels = 256;
constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

struct CloseDir {
  void operator()(DIR* dir) const noexcept { closedir(dir); }
};
using Dir = std::unique_ptr<DIR, CloseDir>;

Dir read_folder(UniqueFd fd) {
  DIR* dir = fdopendir(fd.get());
  if (dir != nullptr) (void)fd.release();
  return Dir(dir);
}

/// The next entry's name; empty at the end.
std::string next_name(DIR* dir) {
  while (const dirent* entry = readdir(dir)) {
    if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0) return entry->d_name;
  }
  return {};
}

struct Level {
  Dir dir;
  std::string name;
};

}  // namespace

Result<UniqueFd> open_folder(const std::string& path) {
  UniqueFd fd(open(path.c_str(), kFolderFlags));
  if (!fd && errno == ENOENT) return Error{Code::NotFound, "there is no folder " + path};
  if (!fd) return system_error("cannot open the folder " + path, errno);
  return fd;
}

Result<UniqueFd> make_folder(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return system_error("cannot make the folder " + path, errno);
  return open_folder(path);
}

Result<UniqueFd> make_folder_at(int parent, const std::string& name, mode_t mode) {
  if (mkdirat(parent, name.c_str(), mode) != 0 && errno != EEXIST)
    return system_error("cannot make the folder " + name, errno);
  UniqueFd fd(openat(parent, name.c_str(), kFolderFlags));
  if (!fd) return system_error("cannot open the folder " + name, errno);
  return fd;
}

Result<void> remove_tree(int parent, const std::string& name) {
  if (unlinkat(parent, name.c_str(), 0) == 0 || errno == ENOENT) return {};
  if (errno != EISDIR && errno != EPERM) return system_error("cannot remove " + name, errno);
  UniqueFd top(openat(parent, name.c_str(), kFolderFlags));
  if (!top) return system_error("cannot open " + name, errno);
  const int top_fd = top.get();  // stays open as the first level's descriptor
  std::vector<Level> levels;
  levels.push_back({read_folder(std::move(top)), name});
  while (!levels.empty()) {
    DIR* const dir = levels.back().dir.get();
    if (dir == nullptr) return system_error("cannot read " + levels.back().name, errno);
    const std::string child = next_name(dir);
    if (child.empty()) {
      const std::string done = levels.back().name;
      levels.pop_back();
      const int above = levels.empty() ? parent : dirfd(levels.back().dir.get());
      // Not empty: a folder too deep was put beside it while it was walked, or readdir missed one; walk it again.
      if (unlinkat(above, done.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) continue;
      if (errno != ENOTEMPTY && errno != EEXIST) return system_error("cannot remove " + done, errno);
      UniqueFd again(openat(above, done.c_str(), kFolderFlags));
      if (!again) return system_error("cannot open " + done, errno);
      levels.push_back({read_folder(std::move(again)), done});
      continue;
    }
    if (unlinkat(dirfd(dir), child.c_str(), 0) == 0 || errno == ENOENT) continue;
    if (errno != EISDIR && errno != EPERM) return system_error("cannot remove " + child, errno);
    if (levels.size() >= kMaxOpenLevels) {
      // A tree as deep as a guest likes must not need a descriptor a level: what is too deep moves up to the top.
      if (renameat(dirfd(dir), child.c_str(), top_fd, new_uuid().str().c_str()) != 0)
        return system_error("cannot move " + child, errno);
      continue;
    }
    UniqueFd fd(openat(dirfd(dir), child.c_str(), kFolderFlags));
    if (!fd) return system_error("cannot remove " + child, errno);
    levels.push_back({read_folder(std::move(fd)), child});
  }
  return {};
}

Result<void> empty_folder(int folder) {
  BERTH_TRY(const std::vector<std::string> names, folder_names(folder));
  for (const std::string& name : names) BERTH_CHECK(remove_tree(folder, name));
  return {};
}

Result<std::vector<std::string>> folder_names(int folder) {
  UniqueFd copy(openat(folder, ".", kFolderFlags));
  if (!copy) return system_error("cannot open the folder", errno);
  const Dir dir = read_folder(std::move(copy));
  if (!dir) return system_error("cannot read the folder", errno);
  std::vector<std::string> names;
  for (std::string name = next_name(dir.get()); !name.empty(); name = next_name(dir.get())) names.push_back(name);
  return names;
}

Result<std::uint64_t> disk_usage(int folder) {
  UniqueFd top(openat(folder, ".", kFolderFlags));
  if (!top) return system_error("cannot open the folder", errno);
  struct stat top_info {};
  if (fstat(top.get(), &top_info) != 0) return system_error("cannot look at the folder", errno);
  std::uint64_t bytes = static_cast<std::uint64_t>(top_info.st_blocks) * 512;
  std::vector<Dir> levels;
  levels.push_back(read_folder(std::move(top)));
  while (!levels.empty()) {
    DIR* const dir = levels.back().get();
    const std::string child = dir == nullptr ? std::string() : next_name(dir);
    if (child.empty()) {
      levels.pop_back();
      continue;
    }
    struct stat info {};
    // A running guest may take a name away at any moment.
    if (fstatat(dirfd(dir), child.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
    bytes += static_cast<std::uint64_t>(info.st_blocks) * 512;
    if (!S_ISDIR(info.st_mode) || info.st_dev != top_info.st_dev || levels.size() >= kMaxOpenLevels) continue;
    UniqueFd fd(openat(dirfd(dir), child.c_str(), kFolderFlags));
    if (fd) levels.push_back(read_folder(std::move(fd)));
  }
  return bytes;
}

}  // namespace berth
