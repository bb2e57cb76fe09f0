#pragma once

#include <dirent.h>
#include <sys/stat.h>

#include <optional>
#include <string>

#include "base/unique_fd.hpp"
#include "daemon/helpers/sftp_wire.hpp"

/// The file work of an SFTP session, below one folder and never out of it (rule 2). Each function returns 0 or an errno;
/// paths are the guest's, absolute. No name is followed out of the folder, and nothing that could block is opened.
namespace berth::helpers::sftp {

class Files {
 public:
  /// `root` stays the caller's.
  explicit Files(int root) : root_(root) {}

  enum class Links { Follow, Stay };
  /// What an open of the draft asks for.
  struct Wish {
    bool read = false, write = false, append = false, create = false, truncate = false, exclusive = false;
  };

  int look(const std::string& path, Links links, struct stat& info) const;
  int open(const std::string& path, const Wish& wish, const Attributes& attributes, UniqueFd& file) const;
  int open_folder(const std::string& path, UniqueFd& folder) const;
  /// The size first, then owner, mode and times, since each changes the one after it.
  int change(const std::string& path, Links links, const Attributes& attributes) const;
  static int change(int file, const Attributes& attributes);
  int remove(const std::string& path, bool folder) const;
  int make_folder(const std::string& path, const Attributes& attributes) const;
  int read_link(const std::string& path, std::string& target) const;
  int make_link(const std::string& target, const std::string& path) const;
  int hard_link(const std::string& from, const std::string& path) const;
  int rename(const std::string& from, const std::string& path, bool replace) const;
  /// An O_PATH descriptor, for statvfs.
  int place(const std::string& path, UniqueFd& file) const;

 private:
  /// A folder, and a name in it.
  struct Place {
    UniqueFd folder;
    std::string name;
  };
  int place_of(const std::string& path, Place& place) const;

  int root_;
};

/// The path as the guest's root has it: absolute, without `.`, `..`, and doubled slashes. Links are not looked at.
std::string clean_path(std::string_view path);

}  // namespace berth::helpers::sftp
