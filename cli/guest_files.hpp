#pragma once

#include "cli/context.hpp"

#include <optional>
#include <string>
#include <vector>

namespace berth::cli {

/// A path in an instance: `[remote:]instance/path`.
struct GuestPath {
  Place instance;
  std::string path;        ///< absolute, without `.`, `..` and doubled slashes
  bool is_folder = false;  ///< it was written with a slash at its end
};
/// Errors: InvalidArgument for an argument without a path; `what` says of what ("source").
Result<GuestPath> guest_path(Context& context, const std::string& argument, const char* what);

enum class FileType { File, Folder, Link };

/// Who owns a file and what may be done with it; what is not said is the server's choice.
struct FileInfo {
  FileType type = FileType::File;
  std::optional<unsigned> uid, gid, mode;
};

/// A file of an instance, being read.
struct GuestFile {
  FileInfo info;
  rest::Response answer;             ///< has the bytes of a file or the target of a link
  std::vector<std::string> entries;  ///< names in a folder

  /// Carries the bytes to a descriptor. Errors: Internal.
  Result<void> copy_to(int fd);
};

/// Errors: NotFound, and others as the server says.
Result<GuestFile> open_guest_file(const GuestPath& path);
/// Writes a file from a descriptor, makes a folder, or a link to the target in `text`.
Result<void> write_guest_file(const GuestPath& path, const FileInfo& info, UniqueFd content, std::string text = {});
/// Makes a folder and what is missing above it.
Result<void> make_guest_folders(const GuestPath& folder, const FileInfo& info);
Result<void> remove_guest_file(const GuestPath& path);

}  // namespace berth::cli
