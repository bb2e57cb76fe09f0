#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.hpp"

namespace berth::helpers {

/// One piece of work on a file of a guest, within the guest's own tree (rule 2).
struct GuestFileRequest {
  std::string action;  ///< read, write, remove
  std::string path;
  std::string type = "file";  ///< write: file, directory, symlink
  bool append = false;
  bool content = true;  ///< read: send it, and do not only look
  std::int64_t uid = -1, gid = -1, mode = -1;  ///< write; -1: as it is, or what a new one gets
};

/// Does it below `root`, with `content` as source or sink of bytes: a pipe. A file is sent, a link's target, or the names
/// of a folder each ended by a zero byte. `answer` gets the JSON of what was found before any content is sent.
/// Nothing is waited for longer than five minutes. Errors name the path.
Result<void> work_on_guest_file(int root, const GuestFileRequest& request, int content,
                                const std::function<void(const std::string&)>& answer);

}  // namespace berth::helpers
