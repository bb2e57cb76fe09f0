#include "daemon/bus/answers.hpp"
#include "daemon/bus/instance_adaptor.hpp"

namespace berth::bus {
namespace {

using services::ExecStreams;

Result<services::InstanceExecRequest> read_exec(std::vector<std::string> command, VariantMap options, ExecStreams streams) {
  services::InstanceExecRequest request;
  request.command = std::move(command);
  request.streams = streams;
  if (request.command.empty()) return Error{Code::InvalidArgument, "the command is empty"};
  OptionReader reader{std::move(options)};
  reader.read("environment", request.environment);
  reader.read("user", request.user);
  reader.read("group", request.group);
  reader.read("cwd", request.cwd);
  if (streams != ExecStreams::Detached) {
    reader.read("deferred", request.deferred);
    reader.read("lifeline", request.lifeline);
  }
  if (streams == ExecStreams::Detached) reader.read("record-output", request.record_output);
  if (streams == ExecStreams::Terminal) {
    reader.read("width", request.width);
    reader.read("height", request.height);
  }
  BERTH_CHECK(reader.finish());
  return request;
}

}  // namespace

void InstanceAdaptor::Exec(sdbus::Result<Path, sdbus::UnixFd, sdbus::UnixFd, sdbus::UnixFd>&& reply,
                           std::vector<std::string> command, Options options) {
  using Answer = std::tuple<Path, sdbus::UnixFd, sdbus::UnixFd, sdbus::UnixFd>;
  run(std::move(reply), [this, command = std::move(command), options = std::move(options)](
                            const Principal& who, const Names& it) -> Result<Answer> {
    BERTH_TRY(auto request, read_exec(command, options, ExecStreams::Pipes));
    BERTH_TRY(auto handles, use_cases_.exec.exec(who, it.project, it.name, std::move(request)));
    return Answer{Path(operation_path(handles.operation)), give_fd(std::move(handles.stdin_fd)),
                  give_fd(std::move(handles.stdout_fd)), give_fd(std::move(handles.stderr_fd))};
  });
}

void InstanceAdaptor::ExecTerminal(sdbus::Result<Path, sdbus::UnixFd>&& reply, std::vector<std::string> command,
                                   Options options) {
  using Answer = std::tuple<Path, sdbus::UnixFd>;
  run(std::move(reply), [this, command = std::move(command), options = std::move(options)](
                            const Principal& who, const Names& it) -> Result<Answer> {
    BERTH_TRY(auto request, read_exec(command, options, ExecStreams::Terminal));
    BERTH_TRY(auto handles, use_cases_.exec.exec(who, it.project, it.name, std::move(request)));
    return Answer{Path(operation_path(handles.operation)), give_fd(std::move(handles.terminal))};
  });
}

void InstanceAdaptor::ExecDetached(sdbus::Result<Path>&& reply, std::vector<std::string> command, Options options) {
  run(std::move(reply), [this, command = std::move(command), options = std::move(options)](const Principal& who,
                                                                                          const Names& it) -> Result<Path> {
    BERTH_TRY(auto request, read_exec(command, options, ExecStreams::Detached));
    BERTH_TRY(const auto handles, use_cases_.exec.exec(who, it.project, it.name, std::move(request)));
    return Path(operation_path(handles.operation));
  });
}

void InstanceAdaptor::OpenConsole(sdbus::Result<sdbus::UnixFd>&& reply, Options options) {
  run(std::move(reply), [this, options = std::move(options)](const Principal& who, const Names& it) -> Result<sdbus::UnixFd> {
    std::uint16_t width = 0, height = 0;
    OptionReader reader{options};
    reader.read("width", width);
    reader.read("height", height);
    BERTH_CHECK(reader.finish());
    return fd_answer(use_cases_.exec.console(who, it.project, it.name, width, height));
  });
}

void InstanceAdaptor::ListLogs(sdbus::Result<std::vector<std::string>>&& reply) {
  run(std::move(reply), [this](const Principal& who, const Names& it) -> Result<std::vector<std::string>> {
    return use_cases_.exec.logs(who, it.project, it.name);
  });
}

void InstanceAdaptor::OpenLog(sdbus::Result<sdbus::UnixFd>&& reply, std::string name, Options options) {
  run(std::move(reply), [this, name, options = std::move(options)](const Principal& who, const Names& it) -> Result<sdbus::UnixFd> {
    BERTH_CHECK(no_options(options));
    return fd_answer(use_cases_.exec.open_log(who, it.project, it.name, name));
  });
}

void InstanceAdaptor::RemoveLog(sdbus::Result<>&& reply, std::string name, Options options) {
  run(std::move(reply), [this, name, options = std::move(options)](const Principal& who, const Names& it) -> Result<void> {
    BERTH_CHECK(no_options(options));
    return use_cases_.exec.remove_log(who, it.project, it.name, name);
  });
}

}  // namespace berth::bus
