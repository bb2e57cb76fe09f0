#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/names.hpp"
#include "base/result.hpp"
#include "daemon/domain/start_plan.hpp"
#include "daemon/domain/types.hpp"

/// What berthd and its supervisors say to each other. Every message is one packet (base/packet.hpp) of JSON with a
/// `type`; whoever gets a type or a field that it does not know ignores it, so that a new daemon works with supervisors
/// that an older one started. The truth is in files (exit, execs/ID); messages are doorbells.
///
/// Doorbell, `<runtime>/supervisor.socket`, berthd listens:
///   prepare{protocol, unit, invocation}     -> plan (a sealed memfd comes with it) or error{code, message}
///   running{id, pid}                        the container runs (same connection as prepare; no answer)
///   ended{id, message}                      the exit file is written; `id` empty when there was no plan yet
/// Control, `<runtime>/instances/<uuid>/control`, the supervisor listens. One question at a time on a connection:
///   state                                   -> state{id, pid, protocol}
///   watch                                   -> state..., then exec-finished{id, value} for each, and closing at the end
///   exec{exec, id} + stdin, stdout, stderr unless a terminal, and a lifeline last if exec.lifeline (from protocol 2 on)
///                                           -> ok{pid} + the terminal's master if there is one
///   begin{id}, drop{id}                     -> ok{pid} / error       (a deferred exec)
///   signal{id, value}                       -> ok / error
///   list                                    -> list{ids}
///   console                                 -> ok + the console's master
///   shutdown{value}                         -> ok once the halt signal is sent; value 1: the host itself goes down
///   kill                                    -> ok once everything is being killed
namespace berth::supervisor {

inline constexpr int kProtocol = 2;
inline constexpr int kLifelineProtocol = 2;  ///< the first that knows lifelines
inline constexpr std::size_t kMaxExecs = 256;  ///< running and deferred ones of one container

namespace type {
inline constexpr std::string_view kPrepare = "prepare", kPlan = "plan", kRunning = "running", kEnded = "ended";
inline constexpr std::string_view kState = "state", kWatch = "watch", kExec = "exec", kBegin = "begin", kDrop = "drop";
inline constexpr std::string_view kSignal = "signal", kList = "list", kConsole = "console", kShutdown = "shutdown";
inline constexpr std::string_view kKill = "kill", kExecFinished = "exec-finished", kOk = "ok", kError = "error";
}  // namespace type

/// A command to run in the container.
struct ExecCommand {
  std::vector<std::string> command;
  ConfigMap environment;  ///< complete
  std::uint32_t uid = 0, gid = 0;
  std::string cwd;  ///< empty: $HOME or /
  bool deferred = false;
  bool terminal = false;
  std::uint16_t width = 0, height = 0;  ///< 0 = unset
  bool lifeline = false;                ///< it comes as the last descriptor
};

/// Any message; which fields count is told by the type.
struct Message {
  std::string type;
  int protocol = kProtocol;
  std::string id;                  ///< an instance's or an exec's uuid
  std::string unit, invocation;    ///< prepare
  std::string code, message;       ///< error: the D-Bus name of its code, and its text; ended: why a start failed
  std::int32_t pid = 0;            ///< host pid
  std::int32_t value = 0;          ///< signal number, exit code, flag
  std::vector<std::string> ids;    ///< list
  std::optional<ExecCommand> exec;
};

std::string encode(const Message& message);
/// InvalidArgument when the text is no message at all; fields of an unexpected kind count as absent.
Result<Message> decode(std::string_view text);

Message error_message(const Error& error);
/// The error in an `error` message.
Error error_of(const Message& message);

std::string encode_plan(const StartPlan& plan);
Result<StartPlan> decode_plan(std::string_view text);

/// The exit file: reason stopped, rebooted, start-failed, killed or host-shutdown.
std::string encode_exit(const ExitReport& report);
Result<ExitReport> decode_exit(std::string_view text);

/// Where things are below the runtime folder (/run/berth). The functions take uuids and checked unit names only.
struct RuntimePaths {
  std::string root;
  std::string doorbell() const { return root + "/supervisor.socket"; }
  std::string instances() const { return root + "/instances"; }
  std::string instance(const Uuid& id) const { return instances() + "/" + id.str(); }
  std::string control(const Uuid& id) const { return instance(id) + "/control"; }
  std::string exit_file(const Uuid& id) const { return instance(id) + "/exit"; }
  std::string execs(const Uuid& id) const { return instance(id) + "/execs"; }
  std::string exec_result(const Uuid& id, const Uuid& exec) const { return execs(id) + "/" + exec.str(); }
  /// A link to the instance's folder by unit name, for `--stop` and for finding what runs.
  std::string units() const { return root + "/units"; }
  std::string unit(const std::string& name) const { return units() + "/" + name; }
  /// Where each supervisor, in a mount namespace of its own, puts the container's root together.
  std::string stage() const { return root + "/stage"; }
  /// liblxc's own path: part of its command socket's abstract name.
  std::string lxc() const { return root + "/lxc"; }
};

/// The folder in every cgroup hierarchy below which containers are when systemd does not place them.
inline constexpr std::string_view kCgroupParent = "berth";

/// True for a name that may be a systemd unit and a file of ours: no '/', no control characters, 1 to 255 bytes.
bool valid_unit_name(std::string_view name);

}  // namespace berth::supervisor
