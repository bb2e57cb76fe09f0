#include "daemon/services/instance_exec.hpp"

#include "base/log.hpp"
#include "daemon/services/instance_logs.hpp"
#include "daemon/services/instance_support.hpp"
#include "daemon/services/lifecycle_events.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace berth::services {
namespace {

constexpr std::string_view kConsoleLog = "console.log";
constexpr std::chrono::seconds kTrimEvery{1};
constexpr std::size_t kArgumentLimit = 1024 * 1024;

/// Both ends of a pipe; the guest's is moved into the request.
struct Pipe {
  UniqueFd read_end, write_end;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return system_error("cannot make a pipe", errno);
  return Pipe{UniqueFd{ends[0]}, UniqueFd{ends[1]}};
}

Result<void> check_words(const InstanceExecRequest& request) {
  if (request.command.empty() || request.command.front().empty())
    return Error{Code::InvalidArgument, "No command was given"};
  std::size_t total = 0;
  const auto has_nul = [](const std::string& text) { return text.find('\0') != std::string::npos; };
  for (const auto& word : request.command) {
    if (has_nul(word)) return Error{Code::InvalidArgument, "The command may not have NUL characters"};
    total += word.size();
  }
  for (const auto& [name, value] : request.environment) {
    if (name.empty() || name.find('=') != std::string::npos || has_nul(name) || has_nul(value))
      return Error{Code::InvalidArgument, "Invalid environment variable: " + name};
    total += name.size() + value.size();
  }
  if (has_nul(request.cwd)) return Error{Code::InvalidArgument, "The working directory may not have NUL characters"};
  if (total > kArgumentLimit)
    return Error{Code::LimitsExceeded, "The command and its environment are larger than 1 MiB"};
  return {};
}

/// The supervisor reads and writes it without waiting, which takes a socket.
Result<void> check_lifeline(const InstanceExecRequest& request) {
  if (!request.lifeline) return {};
  const auto option = [&](int name) {
    int value = 0;
    socklen_t size = sizeof value;
    return getsockopt(request.lifeline->get(), SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
  };
  if (option(SO_DOMAIN) != AF_UNIX || option(SO_TYPE) != SOCK_STREAM || option(SO_ACCEPTCONN) != 0)
    return Error{Code::InvalidArgument, "The lifeline must be one end of a Unix stream socket pair"};
  return {};
}

Result<void> check_runs(Context& context, const Instance& instance) {
  const auto status = context.runtime.status(instance.uuid);
  if (status == InstanceStatus::Frozen || status == InstanceStatus::Freezing)
    return Error{Code::FailedPrecondition, "Instance is frozen"};
  if (status != InstanceStatus::Running && status != InstanceStatus::Thawed)
    return Error{Code::FailedPrecondition, "Instance is not running"};
  return {};
}

/// The instance's environment.*, the request's over it, and defaults for what both leave open.
ConfigMap full_environment(const ConfigMap& config, const InstanceExecRequest& request) {
  constexpr std::string_view kPrefix = "environment.";
  ConfigMap environment = request.environment;
  for (const auto& [key, value] : config)
    if (key.starts_with(kPrefix)) environment.try_emplace(key.substr(kPrefix.size()), value);
  environment.try_emplace("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  environment.try_emplace("LANG", "C.UTF-8");
  if (request.user == 0) {
    environment.try_emplace("HOME", "/root");
    environment.try_emplace("USER", "root");
  }
  return environment;
}

OperationSpec exec_operation(const Principal& who, const Instance& instance, const OperationId& id, bool detached) {
  auto spec = instance_operation(who, instance, "Executing command");
  spec.kind = detached ? "task" : "websocket";
  spec.id = id;
  return spec;
}

/// Keeps the recorded output bounded as long as the command runs.
void trim_while_running(Context& context, const OperationId& id, const std::string& folder) {
  context.workers.submit_after(kTrimEvery, [&context, id, folder] {
    trim_output_files(folder, id, kLogLimit);
    if (context.execs.find(id)) trim_while_running(context, id, folder);
  });
}

/// Fills in the guest's ends of the streams and returns the caller's.
Result<void> connect_streams(Context& context, const Instance& instance, const InstanceExecRequest& request,
                             ports::ExecRequest& exec, ExecHandles& handles) {
  switch (request.streams) {
    case ExecStreams::Terminal:
      exec.terminal = true;
      exec.width = request.width;
      exec.height = request.height;
      return {};
    case ExecStreams::Pipes: {
      BERTH_TRY(auto in, make_pipe());
      BERTH_TRY(auto out, make_pipe());
      BERTH_TRY(auto err, make_pipe());
      exec.stdin_fd = std::move(in.read_end);
      exec.stdout_fd = std::move(out.write_end);
      exec.stderr_fd = std::move(err.write_end);
      handles.stdin_fd = std::move(in.write_end);
      handles.stdout_fd = std::move(out.read_end);
      handles.stderr_fd = std::move(err.read_end);
      return {};
    }
    case ExecStreams::Detached: break;
  }
  exec.stdin_fd.reset(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!exec.stdin_fd) return system_error("cannot open /dev/null", errno);
  if (request.record_output) {
    const auto folder = log_folder(context, instance.uuid);
    BERTH_CHECK(make_log_folder(folder));
    BERTH_TRY(exec.stdout_fd, make_output_file(folder, exec.id, false));
    BERTH_TRY(exec.stderr_fd, make_output_file(folder, exec.id, true));
    return {};
  }
  exec.stdout_fd.reset(open("/dev/null", O_RDWR | O_CLOEXEC));
  exec.stderr_fd.reset(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!exec.stdout_fd || !exec.stderr_fd) return system_error("cannot open /dev/null", errno);
  return {};
}

void drop_unbegun(Context& context, const OperationId& id, std::chrono::milliseconds limit) {
  context.workers.submit_after(limit, [&context, id] {
    const auto row = context.execs.take_deferred(id);
    if (!row) return;
    (void)context.runtime.drop_exec(row->instance, id);
    context.operations.finish(id, Error{Code::Cancelled, "The command was not begun in time"});
  });
}

/// The console's log has events of its own.
void publish_log_event(Context& context, const Principal& who, const Instance& instance, const std::string& log, const char* of_console,
                       const char* of_other) {
  if (log == kConsoleLog) return publish_lifecycle(context, who, instance, of_console);
  publish_lifecycle(context, who, instance, of_other, Document{{"file", log}});
}

}  // namespace

Result<ExecHandles> InstanceExec::exec(const Principal& who, const ProjectName& project, const InstanceName& name,
                                       InstanceExecRequest request) {
  BERTH_TRY(const auto instance, context_.store.instance(who, project, name));
  BERTH_CHECK(check_words(request));
  const bool detached = request.streams == ExecStreams::Detached;
  if (detached && request.deferred)
    return Error{Code::InvalidArgument, "A detached command has no streams to wait for: it cannot be deferred"};
  if (!detached && request.record_output)
    return Error{Code::InvalidArgument, "Only the output of a detached command can be recorded"};
  BERTH_CHECK(check_lifeline(request));
  BERTH_CHECK(check_runs(context_, instance));
  BERTH_TRY(const auto all, expanded(context_, instance));

  ports::ExecRequest exec{.id = new_uuid(),
                          .command = request.command,
                          .environment = full_environment(all.config, request),
                          .uid = request.user,
                          .gid = request.group,
                          .cwd = request.cwd,
                          .deferred = request.deferred};
  if (request.lifeline) exec.lifeline = std::move(*request.lifeline);
  const auto id = exec.id;
  ExecHandles handles{.operation = id};
  BERTH_CHECK(connect_streams(context_, instance, request, exec, handles));

  auto spec = exec_operation(who, instance, id, detached);
  if (!detached) {
    spec.metadata["command"] = request.command;
    spec.metadata["environment"] = exec.environment;
    spec.metadata["interactive"] = request.streams == ExecStreams::Terminal;
  }
  BERTH_CHECK(context_.operations.open(std::move(spec), nullptr));
  context_.execs.add(id, {.instance = instance.uuid, .begun = !request.deferred, .recorded = request.record_output});
  auto running = context_.runtime.exec(instance.uuid, std::move(exec));
  if (!running) {
    if (context_.execs.take(id)) context_.operations.finish(id, running.error());
    return running.error();
  }
  handles.terminal = std::move(running->terminal);
  if (request.deferred) drop_unbegun(context_, id, begin_limit_);
  if (request.record_output) trim_while_running(context_, id, log_folder(context_, instance.uuid));
  publish_lifecycle(context_, who, instance, "instance-exec", Document{{"command", request.command}});
  return handles;
}

Result<void> InstanceExec::begin(const Principal& who, const OperationId& id) {
  BERTH_CHECK(context_.operations.get(who, id));
  const auto row = context_.execs.begin(id);
  if (!row) return Error{Code::FailedPrecondition, "There is nothing to begin"};
  auto begun = context_.runtime.begin_exec(row->instance, id);
  if (!begun && context_.execs.take(id)) context_.operations.finish(id, begun.error());
  return begun;
}

Result<void> InstanceExec::signal(const Principal& who, const OperationId& id, int number) {
  if (number < 1 || number > SIGRTMAX)
    return Error{Code::InvalidArgument, "Invalid signal number " + std::to_string(number)};
  BERTH_CHECK(context_.operations.get(who, id));
  const auto row = context_.execs.find(id);
  if (!row || !row->begun) return Error{Code::FailedPrecondition, "No command of this operation is running"};
  return context_.runtime.signal_exec(row->instance, id, number);
}

void InstanceExec::finished(const OperationId& id, int code) {
  const auto row = context_.execs.take(id);
  if (!row) return;
  if (row->recorded) {
    trim_output_files(log_folder(context_, row->instance), id, kLogLimit);
    context_.operations.update_metadata(id, "output",
                                        ConfigMap{{"1", output_name(id, false)}, {"2", output_name(id, true)}});
  }
  context_.operations.update_metadata(id, "return", std::int64_t{code});
  if (code == 126) return context_.operations.finish(id, Error{Code::FailedPrecondition, "Command not executable"});
  if (code == 127) return context_.operations.finish(id, Error{Code::FailedPrecondition, "Command not found"});
  context_.operations.finish(id, Document{});
}

void InstanceExec::reopen(const Instance& instance, const OperationId& id) {
  Principal owner = daemon_principal();
  owner.uid = instance.owner_uid;  // who ran it is not kept; the instance's owner may see it
  const auto folder = log_folder(context_, instance.uuid);
  const bool recorded = has_output_file(folder, id);
  const auto opened = context_.operations.open(exec_operation(owner, instance, id, recorded), nullptr);
  if (!opened) {
    log::warning("A running command has no operation: " + opened.error().message,
                 {{"BERTH_INSTANCE", instance.name.str()}});
    return;
  }
  context_.execs.add(id, {.instance = instance.uuid, .begun = true, .recorded = recorded});
  if (recorded) trim_while_running(context_, id, folder);
}

Result<UniqueFd> InstanceExec::console(const Principal& who, const ProjectName& project, const InstanceName& name,
                                       std::uint16_t width, std::uint16_t height) {
  BERTH_TRY(const auto instance, context_.store.instance(who, project, name));
  BERTH_CHECK(check_runs(context_, instance));
  BERTH_TRY(auto master, context_.runtime.console(instance.uuid));
  if (width > 0 && height > 0) {
    const winsize size{.ws_row = height, .ws_col = width, .ws_xpixel = 0, .ws_ypixel = 0};
    if (ioctl(master.get(), TIOCSWINSZ, &size) != 0) return system_error("cannot set the size of the console", errno);
  }
  publish_lifecycle(context_, who, instance, "instance-console");
  return master;
}

Result<std::vector<std::string>> InstanceExec::logs(const Principal& who, const ProjectName& project,
                                                    const InstanceName& name) {
  BERTH_TRY(const auto instance, context_.store.instance(who, project, name));
  return list_logs(log_folder(context_, instance.uuid));
}

Result<UniqueFd> InstanceExec::open_log(const Principal& who, const ProjectName& project, const InstanceName& name,
                                        const std::string& log) {
  BERTH_TRY(const auto instance, context_.store.instance(who, project, name));
  if (!is_log_name(log)) return Error{Code::InvalidArgument, "\"" + log + "\" is not the name of a log file"};
  BERTH_TRY(auto copy, open_log_copy(log_folder(context_, instance.uuid), log, kLogLimit));
  publish_log_event(context_, who, instance, log, "instance-console-retrieved", "instance-log-retrieved");
  return copy;
}

Result<void> InstanceExec::remove_log(const Principal& who, const ProjectName& project, const InstanceName& name,
                                      const std::string& log) {
  BERTH_TRY(const auto instance, context_.store.instance(who, project, name));
  if (!is_log_name(log)) return Error{Code::InvalidArgument, "\"" + log + "\" is not the name of a log file"};
  if (log == "lxc.log" || log == "lxc.conf") return Error{Code::InvalidArgument, "lxc.log and lxc.conf may not be deleted"};
  const auto folder = log_folder(context_, instance.uuid);
  BERTH_CHECK(log == kConsoleLog ? empty_log(folder, log) : delete_log(folder, log));
  publish_log_event(context_, who, instance, log, "instance-console-reset", "instance-log-deleted");
  return {};
}

}  // namespace berth::services
