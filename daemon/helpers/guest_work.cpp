#include "daemon/helpers/guest_work.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <functional>
#include <vector>

#include "base/tree.hpp"
#include "base/unique_fd.hpp"
#include "daemon/helpers/guest_path.hpp"
#include "daemon/helpers/report.hpp"

namespace berth::helpers {
namespace {

constexpr int kPatience = 300'000;  // ms
constexpr std::size_t kChunk = 256 << 10;
constexpr std::size_t kSplice = 1 << 20;
constexpr mode_t kFileMode = 0640;
constexpr mode_t kFolderMode = 0750;

Result<void> wait_for(int fd, short events) {
  pollfd waiting{fd, events, 0};
  for (;;) {
    const int ready = poll(&waiting, 1, kPatience);
    if (ready > 0) return {};
    if (ready == 0) return Error{Code::Unavailable, "the other side neither sent nor took anything for five minutes"};
    if (errno != EINTR) return system_error("cannot wait", errno);
  }
}

/// False when whoever asked wants no more.
Result<bool> send_text(int to, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(to, text.data(), text.size());
    if (n < 0 && errno == EAGAIN) {
      BERTH_CHECK(wait_for(to, POLLOUT));
      continue;
    }
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EPIPE) return false;
    if (n < 0) return system_error("cannot send", errno);
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

/// Moves bytes within the kernel until the source's end. False when these two cannot do that, and then nothing was moved.
Result<bool> splice_all(int from, int to, int pipe, short waits, const std::function<Error(int)>& refusal) {
  for (bool begun = false;; begun = true) {
    const ssize_t n = splice(from, nullptr, to, nullptr, kSplice, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (n == 0) return true;
    if (n > 0 || errno == EINTR) continue;
    if (errno == EAGAIN) {
      BERTH_CHECK(wait_for(pipe, waits));
      continue;
    }
    if (errno == EINVAL && !begun) return false;
    if (errno == EPIPE) return true;  // whoever asked wants no more
    return refusal(errno);
  }
}

/// Not by sendfile(2), which was seen to bring 3 MiB/s into a pipe.
Result<void> send_file(int to, int file, const std::string& path) {
  BERTH_TRY(const bool spliced, splice_all(file, to, to, POLLOUT, [&path](int saved) { return guest_error("read", path, saved); }));
  if (spliced) return {};
  std::vector<char> chunk(kChunk);
  for (;;) {
    const ssize_t n = read(file, chunk.data(), chunk.size());
    if (n == 0) return {};
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return guest_error("read", path, errno);
    BERTH_TRY(const bool wanted, send_text(to, {chunk.data(), static_cast<std::size_t>(n)}));
    if (!wanted) return {};
  }
}

Result<void> receive_file(int from, int file, const std::string& path) {
  // A pipe that blocks is waited for here, too; neither a file in memory nor one that is appended to can do it.
  BERTH_TRY(const bool spliced, splice_all(from, file, from, POLLIN, [&path](int saved) { return guest_error("write", path, saved); }));
  if (spliced) return {};
  std::vector<char> chunk(kChunk);
  for (;;) {
    const ssize_t n = read(from, chunk.data(), chunk.size());
    if (n == 0) return {};
    if (n < 0 && errno == EAGAIN) {
      BERTH_CHECK(wait_for(from, POLLIN));
      continue;
    }
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("cannot receive", errno);
    for (ssize_t done = 0; done < n;) {
      const ssize_t m = write(file, chunk.data() + done, static_cast<std::size_t>(n - done));
      if (m < 0 && errno == EINTR) continue;
      if (m < 0) return guest_error("write", path, errno);
      done += m;
    }
  }
}

Result<std::string> receive_target(int from) {
  std::string out;
  std::array<char, PATH_MAX> chunk{};
  for (;;) {
    BERTH_CHECK(wait_for(from, POLLIN));
    const ssize_t n = read(from, chunk.data(), chunk.size());
    if (n == 0) break;
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n < 0) return system_error("cannot receive", errno);
    out.append(chunk.data(), static_cast<std::size_t>(n));
    if (out.size() >= PATH_MAX) return Error{Code::InvalidArgument, "the target of the symlink is too long"};
  }
  if (out.empty() || out.find('\0') != std::string::npos)
    return Error{Code::InvalidArgument, "the target of the symlink is empty or has a zero byte"};
  return out;
}

std::string info_of(const struct stat& info, const char* type) {
  return "{\"type\":\"" + std::string(type) + "\",\"uid\":" + std::to_string(info.st_uid) +
         ",\"gid\":" + std::to_string(info.st_gid) + ",\"mode\":" + std::to_string(info.st_mode & 07777) +
         ",\"size\":" + std::to_string(S_ISDIR(info.st_mode) ? 0 : info.st_size) + "}";
}

using Answer = std::function<void(const std::string&)>;

Result<void> read_path(int root, const GuestFileRequest& request, int to, const Answer& answer) {
  const std::string& path = request.path;
  BERTH_TRY(const UniqueFd it, open_in_guest(root, path, O_PATH | O_NOFOLLOW));
  struct stat info {};
  if (fstat(it.get(), &info) != 0) return guest_error("look at", path, errno);
  if (S_ISLNK(info.st_mode)) {
    std::array<char, PATH_MAX> target{};
    const ssize_t length = readlinkat(it.get(), "", target.data(), target.size());
    if (length < 0) return guest_error("read", path, errno);
    answer(info_of(info, "symlink"));
    if (request.content) BERTH_CHECK(send_text(to, {target.data(), static_cast<std::size_t>(length)}));
    return {};
  }
  if (!S_ISDIR(info.st_mode) && !S_ISREG(info.st_mode))
    return Error{Code::FailedPrecondition, shown(path) + " is neither a file nor a folder nor a symlink"};
  // What is opened now may be another thing than a moment ago: it is looked at again.
  BERTH_TRY(const UniqueFd file, open_in_guest(root, path, O_RDONLY | O_NOFOLLOW));
  if (fstat(file.get(), &info) != 0) return guest_error("look at", path, errno);
  if (S_ISREG(info.st_mode)) {
    answer(info_of(info, "file"));
    return request.content ? send_file(to, file.get(), path) : Result<void>();
  }
  if (!S_ISDIR(info.st_mode)) return Error{Code::FailedPrecondition, shown(path) + " is no file any more"};
  BERTH_TRY(auto names, folder_names(file.get()));
  std::sort(names.begin(), names.end());
  answer(info_of(info, "directory"));
  std::string all;
  for (const auto& name : names) all += name + '\0';
  if (request.content) BERTH_CHECK(send_text(to, all));
  return {};
}

/// -1 leaves what is there; a new thing is the guest's root's.
Result<void> set_owner(int fd, const GuestFileRequest& request) {
  const auto id = [](std::int64_t value) { return static_cast<uid_t>(value); };
  if (request.uid < 0 && request.gid < 0) return {};
  if (fchownat(fd, "", id(request.uid), id(request.gid), AT_EMPTY_PATH) == 0) return {};
  if (errno == EINVAL)
    return Error{Code::InvalidArgument, "the owner of " + shown(request.path) + " is no id that the container has"};
  return guest_error("give an owner to", request.path, errno);
}

Result<void> write_regular(int root, const GuestFileRequest& request, int from) {
  const std::string& path = request.path;
  const int flags = O_WRONLY | (request.append ? O_APPEND : 0);
  auto file = open_in_guest(root, path, flags);
  const bool is_new = !file && file.error().code == Code::NotFound;
  if (is_new) file = open_in_guest(root, path, flags | O_CREAT, kFileMode);
  if (!file) return std::move(file).error();
  struct stat info {};
  if (fstat(file->get(), &info) != 0) return guest_error("look at", path, errno);
  if (!S_ISREG(info.st_mode)) return Error{Code::FailedPrecondition, shown(path) + " is not a plain file"};
  if (!request.append && ftruncate(file->get(), 0) != 0) return guest_error("empty", path, errno);
  BERTH_CHECK(receive_file(from, file->get(), path));
  // After the content, which would take setuid bits away, and after the owner, which does so too.
  BERTH_CHECK(set_owner(file->get(), request));
  if (request.mode >= 0 && fchmod(file->get(), static_cast<mode_t>(request.mode)) != 0)
    return guest_error("give a mode to", path, errno);
  return {};
}

Result<void> write_folder(int root, const GuestFileRequest& request) {
  const std::string& path = request.path;
  BERTH_TRY(const UniqueFd parent, open_in_guest(root, guest_parent(path), O_PATH | O_DIRECTORY));
  if (mkdirat(parent.get(), guest_base_name(path).c_str(), kFolderMode) != 0 && errno != EEXIST)
    return guest_error("make", path, errno);
  BERTH_TRY(const UniqueFd folder, open_in_guest(root, path, O_RDONLY | O_DIRECTORY));
  BERTH_CHECK(set_owner(folder.get(), request));
  if (request.mode >= 0 && fchmod(folder.get(), static_cast<mode_t>(request.mode)) != 0)
    return guest_error("give a mode to", path, errno);
  return {};
}

Result<void> write_symlink(int root, const GuestFileRequest& request, int from) {
  const std::string& path = request.path;
  BERTH_TRY(const std::string target, receive_target(from));
  BERTH_TRY(const UniqueFd parent, open_in_guest(root, guest_parent(path), O_RDONLY | O_DIRECTORY));
  const std::string name = guest_base_name(path);
  struct stat info {};
  // A link that is there is replaced; anything else stays.
  if (fstatat(parent.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(info.st_mode))
    (void)unlinkat(parent.get(), name.c_str(), 0);
  if (symlinkat(target.c_str(), parent.get(), name.c_str()) != 0) return guest_error("make", path, errno);
  BERTH_TRY(const UniqueFd link, open_in_guest(root, path, O_PATH | O_NOFOLLOW));
  return set_owner(link.get(), request);
}

Result<void> remove_path(int root, const std::string& path) {
  BERTH_TRY(const UniqueFd parent, open_in_guest(root, guest_parent(path), O_RDONLY | O_DIRECTORY));
  const std::string name = guest_base_name(path);
  if (name == "." || name == "..") return Error{Code::InvalidArgument, shown(path) + " cannot be deleted"};
  struct stat info {};
  if (fstatat(parent.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) return guest_error("delete", path, errno);
  if (unlinkat(parent.get(), name.c_str(), S_ISDIR(info.st_mode) ? AT_REMOVEDIR : 0) != 0)
    return guest_error("delete", path, errno);
  return {};
}

}  // namespace

Result<void> work_on_guest_file(int root, const GuestFileRequest& request, int content, const Answer& answer) {
  if (request.action == "read") return read_path(root, request, content, answer);
  if (request.action == "write") {
    if (request.type == "directory") {
      BERTH_CHECK(write_folder(root, request));
    } else if (request.type == "symlink") {
      BERTH_CHECK(write_symlink(root, request, content));
    } else {
      BERTH_CHECK(write_regular(root, request, content));
    }
  } else {
    BERTH_CHECK(remove_path(root, request.path));
  }
  answer("{}");
  return {};
}

}  // namespace berth::helpers
