// Commands and the console: LxcRuntime's part that asks supervisors.

#include <vector>

#include "daemon/adapters/lxc/runtime.hpp"
#include "daemon/adapters/lxc/supervisor_link.hpp"

namespace berth::lxc {
namespace {

namespace type = supervisor::type;

supervisor::Message about(std::string_view kind, const OperationId& exec, int value = 0) {
  return {.type = std::string(kind), .id = exec.str(), .value = value};
}

}  // namespace

Result<ports::RunningExec> LxcRuntime::exec(const Uuid& uuid, ports::ExecRequest request) {
  BERTH_TRY(const Running running, find(uuid));
  if (running.frozen) return Error{Code::FailedPrecondition, "Container is frozen"};
  supervisor::Message question = about(type::kExec, request.id);
  question.exec = supervisor::ExecCommand{.command = std::move(request.command),
                                          .environment = std::move(request.environment),
                                          .uid = request.uid,
                                          .gid = request.gid,
                                          .cwd = std::move(request.cwd),
                                          .deferred = request.deferred,
                                          .terminal = request.terminal,
                                          .width = request.width,
                                          .height = request.height};
  // An older supervisor would take it for a stream. Dropped, its other end is told that nobody watches the command.
  question.exec->lifeline = request.lifeline && running.protocol >= supervisor::kLifelineProtocol;
  std::vector<int> streams;
  if (!request.terminal) streams = {request.stdin_fd.get(), request.stdout_fd.get(), request.stderr_fd.get()};
  if (question.exec->lifeline) streams.push_back(request.lifeline.get());
  BERTH_TRY(Answer answer, ask(paths_.control(uuid), question, streams));
  ports::RunningExec started{.pid = answer.message.pid};
  if (request.terminal) {
    if (answer.fds.empty()) return Error{Code::Internal, "the supervisor sent no terminal"};
    started.terminal = std::move(answer.fds.front());
  }
  return started;
}

Result<void> LxcRuntime::begin_exec(const Uuid& uuid, const OperationId& exec) {
  BERTH_TRY(const Running running, find(uuid));
  if (running.frozen) return Error{Code::FailedPrecondition, "Container is frozen"};
  BERTH_TRY(const Answer answer, ask(paths_.control(uuid), about(type::kBegin, exec)));
  return {};
}

Result<void> LxcRuntime::drop_exec(const Uuid& uuid, const OperationId& exec) {
  BERTH_TRY(const Answer answer, ask(paths_.control(uuid), about(type::kDrop, exec)));
  return {};
}

Result<void> LxcRuntime::signal_exec(const Uuid& uuid, const OperationId& exec, int signal) {
  BERTH_TRY(const Answer answer, ask(paths_.control(uuid), about(type::kSignal, exec, signal)));
  return {};
}

Result<std::vector<OperationId>> LxcRuntime::running_execs(const Uuid& uuid) {
  BERTH_TRY(const Running running, find(uuid));
  BERTH_TRY(const Answer answer, ask(paths_.control(uuid), {.type = std::string(type::kList)}));
  std::vector<OperationId> execs;
  for (const auto& id : answer.message.ids)
    if (auto parsed = OperationId::parse(id); parsed) execs.push_back(*std::move(parsed));
  return execs;
}

Result<UniqueFd> LxcRuntime::console(const Uuid& uuid) {
  BERTH_TRY(const Running running, find(uuid));
  BERTH_TRY(Answer answer, ask(paths_.control(uuid), {.type = std::string(type::kConsole)}));
  if (answer.fds.empty()) return Error{Code::Internal, "the supervisor sent no console"};
  return std::move(answer.fds.front());
}

}  // namespace berth::lxc
