#include "daemon/helpers/guest_path.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "daemon/helpers/report.hpp"

namespace berth::helpers {
namespace {

/// Without slashes at its end.
std::string plain(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

int open_below(int root, const std::string& path, int flags, mode_t mode) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC | ((flags & O_PATH) != 0 ? 0 : O_NONBLOCK | O_NOCTTY));
  how.mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? mode : 0;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  for (;;) {
    const long fd = syscall(SYS_openat2, root, path.c_str(), &how, sizeof how);
    // EAGAIN: something was renamed meanwhile, and the kernel would not say whether the path stayed within.
    if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) return static_cast<int>(fd);
  }
}

}  // namespace

Error guest_error(const std::string& what, const std::string& path, int saved_errno) {
  const std::string text = "cannot " + what + " " + shown(path);
  switch (saved_errno) {
    case ENOENT:
      return Error{Code::NotFound, text + ": there is no such file or folder"};
    case EEXIST:
      return Error{Code::AlreadyExists, text + ": it exists already"};
    case ENOSPC:
    case EDQUOT:
      return Error{Code::Unavailable, text + ": the disk is full"};
    case ENOTDIR:
      return Error{Code::FailedPrecondition, text + ": a part of the path is not a folder"};
    case EISDIR:
      return Error{Code::FailedPrecondition, text + ": it is a folder"};
    case ELOOP:
      return Error{Code::FailedPrecondition, text + ": a symlink on the way leads nowhere"};
    case ENOTEMPTY:
      return Error{Code::FailedPrecondition, text + ": the folder is not empty"};
    case ENAMETOOLONG:
      return Error{Code::InvalidArgument, text + ": the name is too long"};
    case ENXIO:
    case EPERM:
    case EACCES:
    case EROFS:
    case EBUSY:
    case EXDEV:
      return Error{Code::FailedPrecondition, system_error(text, saved_errno).message};
    default:
      return system_error(text, saved_errno);
  }
}

std::string guest_base_name(const std::string& path) {
  const std::string whole = plain(path);
  const std::size_t slash = whole.rfind('/');
  std::string name = slash == std::string::npos ? whole : whole.substr(slash + 1);
  return name.empty() ? "." : name;
}

std::string guest_parent(const std::string& path) {
  const std::string whole = plain(path);
  const std::size_t slash = whole.rfind('/');
  if (slash == std::string::npos || slash == 0) return "/";
  return plain(whole.substr(0, slash));
}

UniqueFd try_open_in_guest(int root, const std::string& path, int flags, mode_t mode) {
  return UniqueFd(open_below(root, path, flags, mode));
}

Result<UniqueFd> open_in_guest(int root, const std::string& path, int flags, mode_t mode) {
  UniqueFd fd(open_below(root, path, flags, mode));
  if (!fd) return guest_error("open", path, errno);
  return fd;
}

Result<UniqueFd> make_guest_parents(int root, const std::string& path, mode_t mode) {
  const std::string parent = guest_parent(path);
  UniqueFd whole(open_below(root, parent, O_RDONLY | O_DIRECTORY, 0));
  if (whole) return whole;
  if (errno != ENOENT) return guest_error("open", parent, errno);
  for (std::size_t end = 0; end < parent.size();) {
    end = std::min(parent.find('/', end + 1), parent.size());
    const std::string upto = parent.substr(0, end);
    UniqueFd folder(open_below(root, upto, O_PATH | O_DIRECTORY, 0));
    if (folder) continue;
    if (errno != ENOENT) return guest_error("open", upto, errno);
    BERTH_TRY(const UniqueFd above, open_in_guest(root, guest_parent(upto), O_PATH | O_DIRECTORY));
    const std::string name = guest_base_name(upto);
    if (mkdirat(above.get(), name.c_str(), mode) != 0 && errno != EEXIST) return guest_error("make", upto, errno);
  }
  return open_in_guest(root, parent, O_RDONLY | O_DIRECTORY);
}

}  // namespace berth::helpers
