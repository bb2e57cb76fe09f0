#include "daemon/helpers/sftp_files.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <vector>

#include "daemon/helpers/guest_path.hpp"

namespace berth::helpers::sftp {
namespace {

constexpr mode_t kFileMode = 0644;
constexpr mode_t kFolderMode = 0755;
constexpr mode_t kModeBits = 07777;

int outcome(int result) { return result == 0 ? 0 : errno; }

std::array<timespec, 2> as_times(const std::pair<std::uint32_t, std::uint32_t>& times) {
  return {timespec{.tv_sec = times.first, .tv_nsec = 0}, timespec{.tv_sec = times.second, .tv_nsec = 0}};
}

int check_size(std::uint64_t size) { return size > static_cast<std::uint64_t>(INT64_MAX) ? EFBIG : 0; }

}  // namespace

std::string clean_path(std::string_view path) {
  std::vector<std::string_view> kept;
  while (!path.empty()) {
    const auto end = std::min(path.find('/'), path.size());
    const auto element = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (element.empty() || element == ".") continue;
    if (element != "..")
      kept.push_back(element);
    else if (!kept.empty())
      kept.pop_back();
  }
  std::string whole;
  for (const auto element : kept) whole.append("/").append(element);
  return whole.empty() ? "/" : whole;
}

int Files::place_of(const std::string& path, Place& place) const {
  place.name = guest_base_name(path);
  if (place.name == "." || place.name == "..") return EINVAL;
  place.folder = try_open_in_guest(root_, guest_parent(path), O_PATH | O_DIRECTORY);
  return place.folder ? 0 : errno;
}

int Files::place(const std::string& path, UniqueFd& file) const {
  file = try_open_in_guest(root_, path, O_PATH);
  return file ? 0 : errno;
}

int Files::look(const std::string& path, Links links, struct stat& info) const {
  const UniqueFd it = try_open_in_guest(root_, path, links == Links::Stay ? O_PATH | O_NOFOLLOW : O_PATH);
  if (!it) return errno;
  return outcome(fstat(it.get(), &info));
}

int Files::open(const std::string& path, const Wish& wish, const Attributes& attributes, UniqueFd& file) const {
  const bool write = wish.write || wish.append;
  if (!wish.read && !write) return EINVAL;
  struct stat info {};
  const int missing = look(path, Links::Follow, info);
  // Before it is opened: to open a device may do something already.
  if (missing == 0 && !S_ISREG(info.st_mode)) return S_ISDIR(info.st_mode) ? EISDIR : EACCES;
  if (missing != 0 && (missing != ENOENT || !wish.create)) return missing;
  int flags = write ? (wish.read ? O_RDWR : O_WRONLY) : O_RDONLY;
  if (wish.append) flags |= O_APPEND;
  if (wish.create) flags |= wish.exclusive ? O_CREAT | O_EXCL : O_CREAT;
  file = try_open_in_guest(root_, path, flags, attributes.permissions.value_or(kFileMode) & kModeBits);
  if (!file) return errno;
  if (fstat(file.get(), &info) != 0) return errno;
  if (!S_ISREG(info.st_mode)) return EACCES;  // it is another thing than a moment ago
  if (wish.truncate && write) return outcome(ftruncate(file.get(), 0));
  return 0;
}

int Files::open_folder(const std::string& path, UniqueFd& folder) const {
  folder = try_open_in_guest(root_, path, O_RDONLY | O_DIRECTORY);
  return folder ? 0 : errno;
}

int Files::change(int file, const Attributes& attributes) {
  if (attributes.size) {
    if (const int failed = check_size(*attributes.size); failed != 0) return failed;
    if (ftruncate(file, static_cast<off_t>(*attributes.size)) != 0) return errno;
  }
  if (attributes.owner && fchown(file, attributes.owner->first, attributes.owner->second) != 0) return errno;
  if (attributes.permissions && fchmod(file, *attributes.permissions & kModeBits) != 0) return errno;
  if (!attributes.times) return 0;
  const auto times = as_times(*attributes.times);
  return outcome(futimens(file, times.data()));
}

int Files::change(const std::string& path, Links links, const Attributes& attributes) const {
  const int stay = links == Links::Stay ? O_NOFOLLOW : 0;
  const UniqueFd it = try_open_in_guest(root_, path, O_PATH | stay);
  if (!it) return errno;
  struct stat info {};
  if (fstat(it.get(), &info) != 0) return errno;
  if (attributes.size) {
    if (!S_ISREG(info.st_mode)) return S_ISDIR(info.st_mode) ? EISDIR : EINVAL;
    if (const int failed = check_size(*attributes.size); failed != 0) return failed;
    const UniqueFd file = try_open_in_guest(root_, path, O_WRONLY | stay);
    if (!file || ftruncate(file.get(), static_cast<off_t>(*attributes.size)) != 0) return errno;
  }
  if (attributes.owner && fchownat(it.get(), "", attributes.owner->first, attributes.owner->second, AT_EMPTY_PATH) != 0)
    return errno;
  if (attributes.permissions) {
    // The mode of what is only a place in the tree cannot be set; and a link has none.
    if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) return EOPNOTSUPP;
    const UniqueFd file = try_open_in_guest(root_, path, O_RDONLY | stay);
    if (!file || fchmod(file.get(), *attributes.permissions & kModeBits) != 0) return errno;
  }
  if (!attributes.times) return 0;
  const auto times = as_times(*attributes.times);
  return outcome(utimensat(it.get(), "", times.data(), AT_EMPTY_PATH));
}

int Files::remove(const std::string& path, bool folder) const {
  Place place;
  if (const int failed = place_of(path, place); failed != 0) return failed;
  return outcome(unlinkat(place.folder.get(), place.name.c_str(), folder ? AT_REMOVEDIR : 0));
}

int Files::make_folder(const std::string& path, const Attributes& attributes) const {
  Place place;
  if (const int failed = place_of(path, place); failed != 0) return failed;
  const mode_t mode = attributes.permissions.value_or(kFolderMode) & kModeBits;
  return outcome(mkdirat(place.folder.get(), place.name.c_str(), mode));
}

int Files::read_link(const std::string& path, std::string& target) const {
  const UniqueFd it = try_open_in_guest(root_, path, O_PATH | O_NOFOLLOW);
  if (!it) return errno;
  std::array<char, PATH_MAX> bytes{};
  const ssize_t size = readlinkat(it.get(), "", bytes.data(), bytes.size());
  if (size < 0) return errno == ENOENT ? EINVAL : errno;  // what it says of an empty path that is no link
  target.assign(bytes.data(), static_cast<std::size_t>(size));
  return 0;
}

int Files::make_link(const std::string& target, const std::string& path) const {
  Place place;
  if (const int failed = place_of(path, place); failed != 0) return failed;
  return outcome(symlinkat(target.c_str(), place.folder.get(), place.name.c_str()));
}

int Files::hard_link(const std::string& from, const std::string& path) const {
  Place old, place;
  if (const int failed = place_of(from, old); failed != 0) return failed;
  if (const int failed = place_of(path, place); failed != 0) return failed;
  return outcome(linkat(old.folder.get(), old.name.c_str(), place.folder.get(), place.name.c_str(), 0));
}

int Files::rename(const std::string& from, const std::string& path, bool replace) const {
  Place old, place;
  if (const int failed = place_of(from, old); failed != 0) return failed;
  if (const int failed = place_of(path, place); failed != 0) return failed;
  return outcome(static_cast<int>(syscall(SYS_renameat2, old.folder.get(), old.name.c_str(), place.folder.get(),
                                          place.name.c_str(), replace ? 0U : static_cast<unsigned>(RENAME_NOREPLACE))));
}

}  // namespace berth::helpers::sftp
