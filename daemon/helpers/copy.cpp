#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <vector>

#include "base/helper_process.hpp"
#include "base/unique_fd.hpp"
#include "daemon/helpers/confine.hpp"
#include "daemon/helpers/member_path.hpp"
#include "daemon/helpers/report.hpp"
#include "daemon/helpers/verbs.hpp"

namespace berth::helpers {
namespace {

constexpr std::uint64_t kProgressStep = 16 << 20;
constexpr std::size_t kMaxLevels = 900;  // two descriptors each, below the limit of open files

struct CloseDir {
  void operator()(DIR* dir) const noexcept { closedir(dir); }
};

struct Level {
  std::unique_ptr<DIR, CloseDir> from;
  UniqueFd to;
  std::string path;
};

Error step_error(const std::string& path, int saved_errno) {
  if (saved_errno == ENOSPC || saved_errno == EDQUOT)
    return Error{Code::Unavailable, "the disk is full: cannot copy " + shown(path) + "; free some space and try again"};
  return system_error("cannot copy " + shown(path), saved_errno);
}

/// Copies one tree into an empty folder, by descriptor and without following a symlink (rule 2): owners, modes, times,
/// extended attributes, hard links, holes, FIFOs, sockets, whiteouts.
class TreeCopy {
 public:
  Result<void> run(int from, int to) {
    BERTH_CHECK(push(from, ".", UniqueFd(dup(to)), ""));
    while (!levels_.empty()) {
      const dirent* const entry = readdir(levels_.back().from.get());
      if (entry == nullptr) {
        BERTH_CHECK(finish_folder());
      } else if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0) {
        BERTH_CHECK(copy_entry(entry->d_name));
      }
    }
    return {};
  }

 private:
  Result<void> push(int parent, const char* name, UniqueFd to, std::string path) {
    if (levels_.size() >= kMaxLevels)
      return Error{Code::LimitsExceeded, "the folder " + shown(path) + " is nested too deeply"};
    UniqueFd from(openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    DIR* const dir = from ? fdopendir(from.get()) : nullptr;
    if (dir == nullptr) return step_error(path, errno);
    (void)from.release();
    levels_.push_back({std::unique_ptr<DIR, CloseDir>(dir), std::move(to), std::move(path)});
    return {};
  }

  /// A folder's own attributes come after its content, which changes them.
  Result<void> finish_folder() {
    const Level level = std::move(levels_.back());
    levels_.pop_back();
    const int from = dirfd(level.from.get());
    struct stat info {};
    if (fstat(from, &info) != 0) return step_error(level.path, errno);
    return set_attributes(from, level.to.get(), info, level.path);
  }

  Result<void> set_attributes(int from, int to, const struct stat& info, const std::string& path) {
    if (fchown(to, info.st_uid, info.st_gid) != 0 || fchmod(to, info.st_mode & 07777) != 0)
      return step_error(path, errno);
    BERTH_CHECK(copy_xattrs(from, to, path));
    const std::array<timespec, 2> times{info.st_atim, info.st_mtim};
    if (futimens(to, times.data()) != 0) return step_error(path, errno);
    return {};
  }

  Result<void> copy_xattrs(int from, int to, const std::string& path) {
    const ssize_t length = flistxattr(from, names_.data(), names_.size());
    if (length < 0 && errno != ENOTSUP) return step_error(path, errno);
    for (ssize_t at = 0; at < length;) {
      const std::string name(names_.data() + at);
      at += static_cast<ssize_t>(name.size()) + 1;
      // Those of the host's security modules are the host's to give.
      const bool ours =
          name.starts_with("user.") || name.starts_with("system.posix_acl_") || name == "security.capability";
      if (!ours) continue;
      const ssize_t size = fgetxattr(from, name.c_str(), value_.data(), value_.size());
      if (size < 0 || fsetxattr(to, name.c_str(), value_.data(), static_cast<std::size_t>(size), 0) != 0)
        return step_error(path, errno);
    }
    return {};
  }

  Result<void> copy_entry(const char* name) {
    Level& level = levels_.back();
    const int from = dirfd(level.from.get());
    const int to = level.to.get();
    const std::string path = level.path.empty() ? std::string(name) : level.path + "/" + name;
    struct stat info {};
    if (fstatat(from, name, &info, AT_SYMLINK_NOFOLLOW) != 0) return step_error(path, errno);
    if (S_ISDIR(info.st_mode)) {
      if (mkdirat(to, name, 0700) != 0) return step_error(path, errno);
      UniqueFd made(openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!made) return step_error(path, errno);
      return push(from, name, std::move(made), path);
    }
    if (info.st_nlink > 1) {
      const auto [first, is_new] = linked_.try_emplace({info.st_dev, info.st_ino}, path);
      if (!is_new) {
        // Both ends are in the tree that this process alone has just made.
        if (linkat(top(), first->second.c_str(), to, name, 0) != 0) return step_error(path, errno);
        return {};
      }
    }
    if (S_ISREG(info.st_mode)) return copy_file(from, to, name, info, path);
    if (S_ISLNK(info.st_mode)) {
      std::string target(static_cast<std::size_t>(info.st_size) + 1, '\0');
      const ssize_t length = readlinkat(from, name, target.data(), target.size());
      if (length < 0) return step_error(path, errno);
      target.resize(static_cast<std::size_t>(length));
      if (symlinkat(target.c_str(), to, name) != 0) return step_error(path, errno);
    } else {
      const bool whiteout = S_ISCHR(info.st_mode) && info.st_rdev == 0;
      if (!whiteout && !S_ISFIFO(info.st_mode) && !S_ISSOCK(info.st_mode))
        return Error{Code::FailedPrecondition, "there is a device node at " + shown(path) + ", which cannot be copied"};
      if (mknodat(to, name, (info.st_mode & S_IFMT) | 0600, 0) != 0 || fchmodat(to, name, info.st_mode & 07777, 0) != 0)
        return step_error(path, errno);
    }
    const std::array<timespec, 2> times{info.st_atim, info.st_mtim};
    if (fchownat(to, name, info.st_uid, info.st_gid, AT_SYMLINK_NOFOLLOW) != 0 ||
        utimensat(to, name, times.data(), AT_SYMLINK_NOFOLLOW) != 0)
      return step_error(path, errno);
    return {};
  }

  Result<void> copy_file(int from_folder, int to_folder, const char* name, const struct stat& info,
                         const std::string& path) {
    const UniqueFd from(openat(from_folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    const UniqueFd to(openat(to_folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!from || !to) return step_error(path, errno);
    if (!reflinks_ || ioctl(to.get(), FICLONE, from.get()) != 0) {
      reflinks_ = false;
      BERTH_CHECK(copy_data(from.get(), to.get(), info.st_size, path));
    }
    return set_attributes(from.get(), to.get(), info, path);
  }

  /// Piece by piece between the holes.
  Result<void> copy_data(int from, int to, off_t size, const std::string& path) {
    if (ftruncate(to, size) != 0) return step_error(path, errno);
    for (off_t at = 0; at < size;) {
      const off_t data = lseek(from, at, SEEK_DATA);
      if (data < 0 && errno == ENXIO) break;
      if (data < 0) return step_error(path, errno);
      const off_t end = lseek(from, data, SEEK_HOLE);
      if (end < 0) return step_error(path, errno);
      BERTH_CHECK(copy_piece(from, to, data, end, path));
      at = end;
    }
    return {};
  }

  Result<void> copy_piece(int from, int to, off_t begin, off_t end, const std::string& path) {
    while (begin < end) {
      off_t in = begin, out = begin;
      ssize_t n = copy_file_range(from, &in, to, &out, static_cast<std::size_t>(end - begin), 0);
      if (n < 0 && (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP)) {
        n = pread(from, data_.data(), std::min(data_.size(), static_cast<std::size_t>(end - begin)), begin);
        if (n > 0) n = pwrite(to, data_.data(), static_cast<std::size_t>(n), begin);
      }
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return step_error(path, errno);
      if (n == 0) return {};  // the file shrank
      begin += n;
      copied_ += static_cast<std::uint64_t>(n);
      if (copied_ >= reported_ + kProgressStep) {
        reported_ = copied_;
        report_progress(copied_);
      }
    }
    return {};
  }

  int top() const { return levels_.front().to.get(); }

  std::vector<Level> levels_;
  std::map<std::pair<dev_t, ino_t>, std::string> linked_;  ///< files with more names, by their first copied path
  bool reflinks_ = true;                                   ///< until the file system says otherwise
  std::uint64_t copied_ = 0;
  std::uint64_t reported_ = 0;
  std::vector<char> names_ = std::vector<char>(65536);
  std::vector<char> value_ = std::vector<char>(65536);
  std::vector<char> data_ = std::vector<char>(1 << 20);
};

int copy_between(const char* from, const char* to) {
  const UniqueFd source(open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const UniqueFd target(open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!source || !target) {
    report_error(system_error("cannot open a folder to copy", errno));
    return 1;
  }
  const auto copied = TreeCopy().run(source.get(), target.get());
  if (copied)
    report_result("{}");
  else
    report_error(copied.error());
  return copied ? 0 : 1;
}

Result<int> copy_confined(const Confinement& confinement, const char* from) {
  BERTH_TRY(const int status, run_confined(confinement, [from] { return copy_between(from, "/target"); }));
  if (WIFSIGNALED(status))
    return Error{Code::Internal, "the copy was ended by signal " + std::to_string(WTERMSIG(status))};
  return WEXITSTATUS(status);
}

}  // namespace

Result<int> copy(Arguments) {
  Confinement confinement;
  confinement.shares = {{kHelperFirst, "source", true}, {kHelperFirst + 1, "target"}};
  return copy_confined(confinement, "/source");
}

Result<int> flatten(Arguments) {
  Confinement confinement;
  confinement.shares = {{kHelperFirst, "image", true}, {kHelperFirst + 1, "layer", true}, {kHelperFirst + 2, "target"}};
  // Both as lower layers: nothing can be written, and no work folder is touched.
  confinement.overlays = {OverlayShare{.lower = "/layer/upper:/image", .at = "source"}};
  return copy_confined(confinement, "/source");
}

}  // namespace berth::helpers
