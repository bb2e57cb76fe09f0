#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/names.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "daemon/domain/instance.hpp"
#include "daemon/domain/principal.hpp"
#include "daemon/domain/types.hpp"
#include "daemon/services/context.hpp"

namespace berth::services {

enum class ExecStreams { Pipes, Terminal, Detached };

struct InstanceExecRequest {
  std::vector<std::string> command;
  ConfigMap environment;  ///< over the instance's environment.*, and the defaults PATH HOME USER LANG
  std::uint32_t user = 0, group = 0;
  std::string cwd;
  ExecStreams streams = ExecStreams::Pipes;
  std::uint16_t width = 0, height = 0;
  bool deferred = false;
  bool record_output = false;  ///< Detached only
  /// Not Detached: a Unix stream socket whose end kills the command, and which tells of the command's end.
  std::optional<UniqueFd> lifeline;
};

/// The caller's ends.
struct ExecHandles {
  OperationId operation;
  UniqueFd stdin_fd, stdout_fd, stderr_fd;  ///< Pipes
  UniqueFd terminal;                        ///< Terminal
};

/// How long a deferred command waits to be begun.
inline constexpr std::chrono::seconds kExecBeginLimit{30};
/// Of a recorded output and of a log only this much is kept and given, the last of it.
inline constexpr std::uint64_t kLogLimit = 8 * 1024 * 1024;

/// Commands in containers, consoles and logs. Blocking; workers only.
class InstanceExec {
 public:
  explicit InstanceExec(Context& context, std::chrono::milliseconds begin_limit = kExecBeginLimit)
      : context_(context), begin_limit_(begin_limit) {}
  /// FailedPrecondition "Instance is not running" / "Instance is frozen".
  Result<ExecHandles> exec(const Principal& who, const ProjectName& project, const InstanceName& name, InstanceExecRequest request);
  /// FailedPrecondition "There is nothing to begin" unless it was made deferred and not begun before.
  Result<void> begin(const Principal& who, const OperationId& id);
  /// FailedPrecondition when no command of that operation runs.
  Result<void> signal(const Principal& who, const OperationId& id, int number);
  Result<UniqueFd> console(const Principal& who, const ProjectName& project, const InstanceName& name, std::uint16_t width, std::uint16_t height);
  Result<std::vector<std::string>> logs(const Principal& who, const ProjectName& project, const InstanceName& name);
  /// A sealed memfd (bounded: the last 8 MiB). InvalidArgument for a name that is not a log's; NotFound.
  Result<UniqueFd> open_log(const Principal& who, const ProjectName& project, const InstanceName& name, const std::string& log);
  /// Empties the console's log, which goes on, and deletes any other. InvalidArgument for those that stay; NotFound.
  Result<void> remove_log(const Principal& who, const ProjectName& project, const InstanceName& name, const std::string& log);

  /// The runtime says how a command ended: its operation gets the code, as LXD tells it. Once an id.
  void finished(const OperationId& id, int code);
  /// Opens the operation of a command that was found running after a restart of the daemon.
  void reopen(const Instance& instance, const OperationId& id);

 private:
  Context& context_;
  std::chrono::milliseconds begin_limit_;
};

}  // namespace berth::services
