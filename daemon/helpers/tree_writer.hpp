#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <ctime>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace berth::helpers {

using Xattrs = std::vector<std::pair<std::string, std::string>>;

/// What a file, folder or node is to look like, besides its content.
struct Attributes {
  mode_t mode = 0;  ///< permission bits
  uid_t uid = 0;
  gid_t gid = 0;
  timespec mtime{};
  Xattrs xattrs;
};

/// Writes members into a tree by descriptor. No member is ever written through what another one left: parents are
/// resolved without symlinks, and whatever has a member's name is removed first (rule 3). `path`s come from
/// member_path(). Errors name the member; Unavailable when the disk is full.
class TreeWriter {
 public:
  /// `root` is opened for reading and stays the caller's; `max_bytes` bounds what is written in all, holes not counted.
  TreeWriter(int root, std::uint64_t max_bytes) : root_(root), max_bytes_(max_bytes) {}

  Result<void> folder(const std::string& path, Attributes attributes);
  /// An empty file to be filled with write() and ended with finish_file().
  Result<UniqueFd> begin_file(const std::string& path);
  Result<void> write(int fd, const std::string& path, const char* data, std::size_t size, std::uint64_t offset);
  Result<void> finish_file(int fd, const std::string& path, std::uint64_t size, const Attributes& attributes);
  Result<void> symlink(const std::string& path, const std::string& target, const Attributes& attributes);
  Result<void> hard_link(const std::string& path, const std::string& target);
  /// A FIFO, a socket or a whiteout (character device 0:0): the nodes that need no privilege.
  Result<void> node(const std::string& path, mode_t type, const Attributes& attributes);
  /// Extended attributes and times of folders, which writing into them would change.
  Result<void> finish();

  bool exists(const std::string& path);
  std::uint64_t written() const noexcept { return written_; }

 private:
  struct PendingFolder {
    timespec mtime;
    Xattrs xattrs;
  };
  Result<int> parent(const std::string& path, const std::string& member);
  Result<UniqueFd> make_parents(const std::string& path, const std::string& member);
  Result<void> make_room(int folder, const std::string& name, const std::string& member);

  int root_;
  std::uint64_t max_bytes_;
  std::uint64_t written_ = 0;
  std::string parent_path_;
  UniqueFd parent_fd_;  ///< of parent_path_: archives hold the members of a folder one after the other
  std::unordered_map<std::string, PendingFolder> pending_;
};

}  // namespace berth::helpers
