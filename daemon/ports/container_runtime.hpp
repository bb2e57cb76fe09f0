#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/names.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "daemon/domain/instance.hpp"
#include "daemon/domain/start_plan.hpp"

namespace berth::ports {

using berth::ExitReport;
using berth::StartPlan;

/// What can be asked of a running container.
struct RuntimeState {
  InstanceStatus status = InstanceStatus::Stopped;
  std::int32_t init_pid = 0;  ///< host pid; 0 when stopped
  std::uint64_t processes = 0;
  std::uint64_t cpu_ns = 0;
  std::uint64_t memory_bytes = 0;
  std::uint64_t memory_peak_bytes = 0;
  std::uint64_t swap_bytes = 0;
  std::uint64_t swap_peak_bytes = 0;
};

struct NetworkAddress {
  std::string family;   ///< inet, inet6
  std::string address;
  std::string netmask;  ///< prefix length in decimal
  std::string scope;    ///< local, link, global
};
struct NetworkInterface {
  std::vector<NetworkAddress> addresses;
  std::uint64_t bytes_received = 0, bytes_sent = 0, packets_received = 0, packets_sent = 0;
  std::uint64_t errors_received = 0, errors_sent = 0, dropped_inbound = 0, dropped_outbound = 0;  ///< packets
  std::string hwaddr, host_name, state, type;  ///< state up/down; type broadcast/loopback/point-to-point/unknown
  std::uint32_t mtu = 0;
};

/// A command for exec. Exactly one of the two stream forms is used.
struct ExecRequest {
  OperationId id;  ///< also names the exec in the supervisor, so that a new daemon finds it
  std::vector<std::string> command;
  ConfigMap environment;  ///< complete: defaults already merged
  std::uint32_t uid = 0, gid = 0;
  std::string cwd;  ///< empty = the user's home or /
  bool deferred = false;  ///< make streams and pty now, run the command at begin_exec()
  bool terminal = false;
  std::uint16_t width = 0, height = 0;       ///< terminal only; 0 = unset
  UniqueFd stdin_fd, stdout_fd, stderr_fd;  ///< not terminal: the guest's ends
  /// A stream socket or none. Its end kills the command's process group, a byte from it lets the command go; the command's
  /// end sends the code and a newline, and closes it.
  UniqueFd lifeline;
};
/// A command that runs in the container.
struct RunningExec {
  std::int32_t pid = 0;  ///< host pid of the command; 0 while deferred
  UniqueFd terminal;     ///< master side when `terminal` was asked
};
/// How a command ended: exit code, or 128+n for signal n, 126/127 when it could not be run.
using ExecFinished = std::function<void(OperationId id, int code)>;

/// What reports itself without being asked. Called on the runtime's own thread; receivers post onward and do not block.
struct RuntimeEvents {
  /// The container runs, whoever asked for its start (`systemctl start` as well). A start that fails is told by on_exit,
  /// reason StartFailed.
  std::function<void(Uuid instance)> on_started;
  std::function<void(Uuid instance, ExitReport report)> on_exit;
  ExecFinished on_exec_finished;
  /// A supervisor asks for its plan (berthd itself, or `systemctl start`); `reply` may be called later from any thread.
  std::function<void(std::string unit_name, std::string invocation_id, std::function<void(Result<StartPlan>)> reply)> on_prepare;
};

/// Containers as they run: supervisors, their units, liblxc. Blocking: workers only; any thread.
class ContainerRuntime {
 public:
  virtual ~ContainerRuntime() = default;

  /// Connects the reports; call once before anything else. Finds supervisors that outlived the last daemon.
  virtual Result<void> attach(RuntimeEvents events) = 0;

  /// Starts the container's unit and waits until liblxc says RUNNING. The supervisor asks for its plan through
  /// `on_prepare`. FailedPrecondition with liblxc's own last error lines when the start fails.
  virtual Result<void> start(const Uuid& uuid, const ProjectName& project, const InstanceName& name) = 0;
  /// Sends the halt signal and waits for the end; FailedPrecondition when `timeout` passes (the container runs on).
  /// No timeout = wait for ever (until `cancelled`).
  virtual Result<void> shutdown(const Uuid& uuid, std::optional<std::chrono::seconds> timeout,
                                const std::function<bool()>& cancelled) = 0;
  /// Kills everything in it and waits for the end.
  virtual Result<void> kill(const Uuid& uuid) = 0;
  virtual Result<void> freeze(const Uuid& uuid) = 0;
  virtual Result<void> unfreeze(const Uuid& uuid) = 0;

  /// Cheap: no process is spawned. A container without a supervisor is Stopped.
  virtual Result<RuntimeState> state(const Uuid& uuid) = 0;
  virtual Result<std::map<std::string, NetworkInterface>> networks(const Uuid& uuid) = 0;
  /// From memory, no system call.
  virtual InstanceStatus status(const Uuid& uuid) = 0;
  /// The host pid of its init, from memory; 0 when stopped.
  virtual std::int32_t init_pid(const Uuid& uuid) = 0;
  /// Sets control files of the running container's cgroup: (`memory.max`, `1073741824`) and so on, names of cgroup2.
  /// FailedPrecondition when it does not run; on error those written before stay written.
  virtual Result<void> apply_limits(const Uuid& uuid, const std::vector<std::pair<std::string, std::string>>& files) = 0;
  /// The container a host process belongs to; NotFound when to none.
  virtual Result<Uuid> instance_of(std::int32_t pid) = 0;

  virtual Result<RunningExec> exec(const Uuid& uuid, ExecRequest request) = 0;
  /// Runs a deferred exec. FailedPrecondition when it runs already.
  virtual Result<void> begin_exec(const Uuid& uuid, const OperationId& exec) = 0;
  /// Forgets a deferred exec that was never begun.
  virtual Result<void> drop_exec(const Uuid& uuid, const OperationId& exec) = 0;
  /// Sends `signal` to the command.
  virtual Result<void> signal_exec(const Uuid& uuid, const OperationId& exec, int signal) = 0;
  /// Execs that still run (found again after a restart of the daemon).
  virtual Result<std::vector<OperationId>> running_execs(const Uuid& uuid) = 0;
  /// The container's console master; whoever asks last has it, the one before sees its end. FailedPrecondition when it
  /// does not run.
  virtual Result<UniqueFd> console(const Uuid& uuid) = 0;

  /// The exit file's word on a run that ended while no daemon watched; reading it consumes it. A run whose end was told
  /// by on_exit is not told again.
  virtual Result<std::optional<ExitReport>> last_exit(const Uuid& uuid) = 0;
};

}  // namespace berth::ports
