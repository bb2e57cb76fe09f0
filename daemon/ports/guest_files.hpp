#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "daemon/domain/start_plan.hpp"
#include "daemon/domain/types.hpp"

namespace berth::ports {

/// A template that is due, and what it sees.
struct DueTemplate {
  std::string trigger;  ///< create, copy, rename, start
  std::string target;   ///< path in the guest
  std::string name;     ///< of the template, for errors
  bool create_only = false;
  ConfigMap properties;
  UniqueFd text;
};

struct RenderRequest {
  ConfigMap instance;  ///< name, type, architecture, privileged, ephemeral
  ConfigMap config;    ///< expanded
  DeviceMap devices;   ///< expanded
  std::vector<DueTemplate> due;
};

/// Where a guest's files are: in its running container, or in its root on disk.
struct GuestPlace {
  std::int32_t init_pid = 0;  ///< 0: it is stopped
  /// Whether the process is the container's still; asked once a descriptor holds the process.
  std::function<bool(std::int32_t pid)> is_its_init;
  RootSpec root;  ///< of a stopped one
};

struct GuestFileInfo {
  std::string type;  ///< file, directory, symlink
  std::uint32_t uid = 0, gid = 0, mode = 0;  ///< as the guest sees them
  std::uint64_t size = 0;                    ///< bytes of a file or of a symlink's target
};

/// A file that is being read.
struct OpenGuestFile {
  GuestFileInfo info;
  UniqueFd content;  ///< a pipe: the file, a symlink's target, or a folder's names each ended by a zero byte
  /// Waits for the end of the reading: when all is read, when the reader has gone, or when `cancelled`. Call it on a
  /// worker, and keep what guards the place until then. It is safe to drop it: then the pipe ends early.
  std::function<Result<void>(const std::function<bool()>& cancelled)> wait;
};

/// A guest's files, served to one client.
struct SftpServer {
  UniqueFd socket;             ///< the client's end, a stream
  std::function<void()> stop;  ///< ends it soon; any thread, also after its end; does not block
};

struct GuestFileWrite {
  std::string path;
  std::string type = "file";                   ///< file, directory, symlink
  bool append = false;                         ///< file: after what is there, in place of replacing it
  std::int64_t uid = -1, gid = -1, mode = -1;  ///< -1: as it is; a new one is root's, 0640 or for a folder 0750
};

/// Work on the files of a guest, done by a helper that has no rights over the host and reaches nothing but the guest's
/// own tree (rules 2 and 3). Blocking: workers only; any thread.
class GuestFiles {
 public:
  virtual ~GuestFiles() = default;
  /// Renders the templates in order and writes them into the root of a stopped instance; the caller holds its lock.
  /// What is there keeps owner and mode; new files are root's with mode 0644. Errors name the template:
  /// InvalidArgument (its text, with the line), LimitsExceeded, FailedPrecondition (the target), Unavailable (disk
  /// full), Internal.
  virtual Result<void> render(const RootSpec& root, RenderRequest request) = 0;

  // Paths are the guest's own, absolute; its symlinks are followed within it, in `read` and `remove` not the last one.
  // Errors: NotFound, AlreadyExists, FailedPrecondition (what is there is of another kind; the container is not running
  // any more), InvalidArgument, Unavailable (disk full, the other side stalls), Internal; they name the path.

  /// `content` false: only looks.
  virtual Result<OpenGuestFile> read(const GuestPlace& place, const std::string& path, bool content) = 0;
  /// Takes a file's bytes or a symlink's target from the pipe `content` to its end. A folder's parents must exist; one
  /// that exists already is no error.
  virtual Result<void> write(const GuestPlace& place, const GuestFileWrite& request, int content,
                             const std::function<bool()>& cancelled) = 0;
  /// A folder must be empty.
  virtual Result<void> remove(const GuestPlace& place, const std::string& path) = 0;
  /// Serves SFTP (version 3) about everything in the place until the client closes its end, the container stops, or it is
  /// stopped. `ended` is called once on success, on another thread, when nobody touches the place any more; it does not
  /// block. LimitsExceeded when there are too many sessions.
  virtual Result<SftpServer> serve_sftp(const GuestPlace& place, std::function<void()> ended) = 0;
};

}  // namespace berth::ports
