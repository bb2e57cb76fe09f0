#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/names.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"
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
};

/// The caller's ends.
struct ExecHandles {
  OperationId operation;
  UniqueFd stdin_fd, stdout_fd, stderr_fd;  ///< Pipes
  UniqueFd terminal;                        ///< Terminal
};

/// Commands in containers, consoles and logs. Blocking; workers only.
class InstanceExec {
 public:
  explicit InstanceExec(Context& context) : context_(context) {}
  /// FailedPrecondition "Instance is not running" / "Instance is frozen".
  Result<ExecHandles> exec(const Principal& who, const ProjectName& project, const InstanceName& name, InstanceExecRequest request);
  Result<void> begin(const Principal& who, const OperationId& id);
  Result<void> signal(const Principal& who, const OperationId& id, int number);
  Result<UniqueFd> console(const Principal& who, const ProjectName& project, const InstanceName& name, std::uint16_t width, std::uint16_t height);
  Result<std::vector<std::string>> logs(const Principal& who, const ProjectName& project, const InstanceName& name);
  /// A sealed memfd (bounded: the last 8 MiB). InvalidArgument for a name that is not a log's; NotFound.
  Result<UniqueFd> open_log(const Principal& who, const ProjectName& project, const InstanceName& name, const std::string& log);

 private:
  Context& context_;
};

}  // namespace berth::services
