#include "daemon/helpers/tree_writer.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/tree.hpp"
#include "daemon/helpers/member_path.hpp"
#include "daemon/helpers/report.hpp"

namespace berth::helpers {
namespace {

UniqueFd open_beneath(int root, const std::string& path, std::uint64_t flags) {
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return UniqueFd(static_cast<int>(syscall(SYS_openat2, root, path.empty() ? "." : path.c_str(), &how, sizeof how)));
}

Error member_error(const std::string& member, int saved_errno) {
  if (saved_errno == ENOSPC || saved_errno == EDQUOT)
    return Error{Code::Unavailable,
                 "the disk is full: cannot unpack " + shown(member) + "; free some space and try again"};
  if (saved_errno == EFBIG) return Error{Code::LimitsExceeded, "the member " + shown(member) + " is too large a file"};
  if (saved_errno == EINVAL || saved_errno == EOVERFLOW)
    return Error{Code::InvalidArgument,
                 "the member " + shown(member) + " has an owner or attribute that cannot be kept"};
  return system_error("cannot unpack " + shown(member), saved_errno);
}

Result<void> set_xattrs(int fd, const std::string& member, const Xattrs& xattrs) {
  for (const auto& [name, value] : xattrs)
    if (fsetxattr(fd, name.c_str(), value.data(), value.size(), 0) != 0)
      return member_error(member, errno).within("extended attribute " + shown(name));
  return {};
}

std::array<timespec, 2> times(const timespec& mtime) { return {mtime, mtime}; }

}  // namespace

Result<UniqueFd> TreeWriter::make_parents(const std::string& path, const std::string& member) {
  UniqueFd folder(dup(root_));
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string part = path.substr(begin, end - begin);
    begin = end + 1;
    if (mkdirat(folder.get(), part.c_str(), 0755) != 0 && errno != EEXIST) return member_error(member, errno);
    UniqueFd next = open_beneath(folder.get(), part, O_PATH | O_DIRECTORY);
    if (!next) return member_error(member, errno);
    folder = std::move(next);
  }
  return folder;
}

Result<int> TreeWriter::parent(const std::string& path, const std::string& member) {
  if (path.empty()) {
    // What happens at the top may remove the folder that is kept open below.
    parent_fd_.reset();
    return root_;
  }
  if (parent_fd_ && path == parent_path_) return parent_fd_.get();
  UniqueFd fd = open_beneath(root_, path, O_PATH | O_DIRECTORY);
  if (!fd && errno == ENOENT) {
    BERTH_TRY(fd, make_parents(path, member));
  }
  if (!fd && errno == ELOOP)
    return Error{Code::InvalidArgument, "the member " + shown(member) + " lies behind a symlink of the same archive"};
  if (!fd && errno == ENOTDIR)
    return Error{Code::InvalidArgument, "the member " + shown(member) + " lies below something that is not a folder"};
  if (!fd) return member_error(member, errno);
  parent_fd_ = std::move(fd);
  parent_path_ = path;
  return parent_fd_.get();
}

Result<void> TreeWriter::make_room(int folder, const std::string& name, const std::string& member) {
  if (unlinkat(folder, name.c_str(), 0) == 0 || errno == ENOENT) return {};
  if (errno != EISDIR) return member_error(member, errno);
  Result<void> removed = remove_tree(folder, name);
  if (!removed) return std::move(removed).error().within("the member " + shown(member));
  return {};
}

Result<void> TreeWriter::folder(const std::string& path, Attributes attributes) {
  if (path.empty()) {
    if (fchown(root_, attributes.uid, attributes.gid) != 0 || fchmod(root_, attributes.mode) != 0)
      return member_error(path, errno);
  } else {
    const auto [parent_path, name] = split_path(path);
    BERTH_TRY(const int folder, parent(parent_path, path));
    if (mkdirat(folder, name.c_str(), 0700) != 0) {
      if (errno != EEXIST) return member_error(path, errno);
      struct stat info {};
      if (fstatat(folder, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) return member_error(path, errno);
      if (!S_ISDIR(info.st_mode)) {
        BERTH_CHECK(make_room(folder, name, path));
        if (mkdirat(folder, name.c_str(), 0700) != 0) return member_error(path, errno);
      }
    }
    // It is a folder by now and nobody else writes here, so following symlinks cannot happen.
    if (fchownat(folder, name.c_str(), attributes.uid, attributes.gid, AT_SYMLINK_NOFOLLOW) != 0 ||
        fchmodat(folder, name.c_str(), attributes.mode, 0) != 0)
      return member_error(path, errno);
  }
  pending_.insert_or_assign(path, PendingFolder{attributes.mtime, std::move(attributes.xattrs)});
  return {};
}

Result<UniqueFd> TreeWriter::begin_file(const std::string& path) {
  const auto [parent_path, name] = split_path(path);
  BERTH_TRY(const int folder, parent(parent_path, path));
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  UniqueFd fd(openat(folder, name.c_str(), kFlags, 0600));
  if (!fd && errno == EEXIST) {
    BERTH_CHECK(make_room(folder, name, path));
    fd.reset(openat(folder, name.c_str(), kFlags, 0600));
  }
  if (!fd) return member_error(path, errno);
  return fd;
}

Result<void> TreeWriter::write(int fd, const std::string& path, const char* data, std::size_t size,
                               std::uint64_t offset) {
  // Zeros stay holes, as finish_file() sets the size.
  if (size == 0 || (data[0] == 0 && std::equal(data + 1, data + size, data))) return {};
  if (size > max_bytes_ - written_)
    return Error{Code::LimitsExceeded, "the archive holds more data than is accepted (at " + shown(path) + ")"};
  written_ += size;
  while (size > 0) {
    const ssize_t n = pwrite(fd, data, size, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return member_error(path, errno);
    data += n;
    size -= static_cast<std::size_t>(n);
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

Result<void> TreeWriter::finish_file(int fd, const std::string& path, std::uint64_t size,
                                     const Attributes& attributes) {
  const auto both = times(attributes.mtime);
  // In this order: a change of owner takes setuid bits and file capabilities away, a write the times.
  if (ftruncate(fd, static_cast<off_t>(size)) != 0 || fchown(fd, attributes.uid, attributes.gid) != 0 ||
      fchmod(fd, attributes.mode) != 0)
    return member_error(path, errno);
  BERTH_CHECK(set_xattrs(fd, path, attributes.xattrs));
  if (futimens(fd, both.data()) != 0) return member_error(path, errno);
  return {};
}

Result<void> TreeWriter::symlink(const std::string& path, const std::string& target, const Attributes& attributes) {
  const auto [parent_path, name] = split_path(path);
  BERTH_TRY(const int folder, parent(parent_path, path));
  BERTH_CHECK(make_room(folder, name, path));
  const auto both = times(attributes.mtime);
  if (symlinkat(target.c_str(), folder, name.c_str()) != 0 ||
      fchownat(folder, name.c_str(), attributes.uid, attributes.gid, AT_SYMLINK_NOFOLLOW) != 0 ||
      utimensat(folder, name.c_str(), both.data(), AT_SYMLINK_NOFOLLOW) != 0)
    return member_error(path, errno);
  return {};
}

Result<void> TreeWriter::hard_link(const std::string& path, const std::string& target) {
  if (path == target) return {};
  const auto split = split_path(target);
  const UniqueFd from = open_beneath(root_, split.parent, O_PATH | O_DIRECTORY);
  struct stat info {};
  if (!from || fstatat(from.get(), split.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 || S_ISDIR(info.st_mode))
    return Error{Code::InvalidArgument, "the member " + shown(path) + " is a hard link to " + shown(target) +
                                            ", which is not a file that came before it in the archive"};
  const auto [parent_path, name] = split_path(path);
  BERTH_TRY(const int folder, parent(parent_path, path));
  BERTH_CHECK(make_room(folder, name, path));
  if (linkat(from.get(), split.name.c_str(), folder, name.c_str(), 0) != 0) return member_error(path, errno);
  return {};
}

Result<void> TreeWriter::node(const std::string& path, mode_t type, const Attributes& attributes) {
  const auto [parent_path, name] = split_path(path);
  BERTH_TRY(const int folder, parent(parent_path, path));
  BERTH_CHECK(make_room(folder, name, path));
  const auto both = times(attributes.mtime);
  if (mknodat(folder, name.c_str(), type | 0600, 0) != 0 ||
      fchownat(folder, name.c_str(), attributes.uid, attributes.gid, AT_SYMLINK_NOFOLLOW) != 0 ||
      fchmodat(folder, name.c_str(), attributes.mode, 0) != 0 ||
      utimensat(folder, name.c_str(), both.data(), AT_SYMLINK_NOFOLLOW) != 0)
    return member_error(path, errno);
  return {};
}

Result<void> TreeWriter::finish() {
  parent_fd_.reset();
  for (const auto& [path, folder] : pending_) {
    const UniqueFd fd = open_beneath(root_, path, O_RDONLY | O_DIRECTORY);
    if (!fd) continue;  // a later member of the same name is no folder
    BERTH_CHECK(set_xattrs(fd.get(), path, folder.xattrs));
    const auto both = times(folder.mtime);
    if (futimens(fd.get(), both.data()) != 0) return member_error(path, errno);
  }
  pending_.clear();
  return {};
}

bool TreeWriter::exists(const std::string& path) {
  return static_cast<bool>(open_beneath(root_, path, O_PATH | O_NOFOLLOW));
}

}  // namespace berth::helpers
