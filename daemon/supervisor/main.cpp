// berth-supervisor: one running container's parent. See `berth-supervisor --help`.

#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <climits>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/packet.hpp"
#include "daemon/supervisor/features.hpp"
#include "daemon/supervisor/placement.hpp"
#include "daemon/supervisor/plan_client.hpp"
#include "daemon/supervisor/stop.hpp"
#include "daemon/supervisor/supervisor.hpp"

namespace berth::supervisor {
namespace {

constexpr int kExitRebooted = 133;  ///< for RestartForceExitStatus= in the unit, the number systemd-nspawn uses
constexpr const char* kUsage =
    "berth-supervisor --unit NAME [--runtime FOLDER] [--detach]   run the unit's container\n"
    "berth-supervisor --stop --unit NAME [--runtime FOLDER]       halt it and wait\n"
    "berth-supervisor --features                                  tell what its liblxc can do\n"
    "Started by systemd or berthd; not meant for people.\n";

struct Arguments {
  std::string unit;
  std::string runtime = "/run/berth";
  bool stop = false;
  bool detach = false;
};

/// Paths below the runtime folder stand in mount options and in liblxc's hook lines.
bool plain_path(std::string_view path) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-";
  return path.starts_with('/') && path.find_first_not_of(kAllowed) == std::string_view::npos;
}

Result<Arguments> parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const bool has_value = i + 1 < argc;
    if (word == "--stop")
      arguments.stop = true;
    else if (word == "--detach")
      arguments.detach = true;
    else if (word == "--unit" && has_value)
      arguments.unit = argv[++i];
    else if (word == "--runtime" && has_value)
      arguments.runtime = argv[++i];
    else
      return Error{Code::InvalidArgument, kUsage};
  }
  if (!valid_unit_name(arguments.unit) || !plain_path(arguments.runtime)) return Error{Code::InvalidArgument, kUsage};
  return arguments;
}

Result<std::string> hook_program() {
  std::string self(PATH_MAX, '\0');
  const ssize_t length = ::readlink("/proc/self/exe", self.data(), self.size());
  if (length <= 0) return system_error("cannot find this program's folder", errno);
  self.resize(static_cast<std::size_t>(length));
  return self.substr(0, self.rfind('/')) + "/berth-hook";
}

Result<ExitReport> supervise(const Arguments& arguments) {
  const RuntimePaths paths{arguments.runtime};
  BERTH_TRY(std::string hook, hook_program());
  BERTH_TRY(PulledPlan pulled, pull_plan(paths.doorbell(), arguments.unit));
  StartSurroundings around{.paths = paths, .hook = std::move(hook), .cgroup_parent = settle(arguments.unit)};
  BERTH_TRY(EventLoop loop, EventLoop::create());
  (void)::malloc_trim(0);
  Supervisor supervisor(loop, paths, arguments.unit, std::move(pulled.plan), std::move(pulled.connection), std::move(around));
  return supervisor.run();
}

int status_of(const ExitReport& report) {
  if (report.reason == ExitReport::Reason::Rebooted) return kExitRebooted;
  return report.reason == ExitReport::Reason::StartFailed ? 1 : 0;
}

int fail(const Error& error) {
  (void)std::fprintf(stderr, "berth-supervisor: %s\n", error.message.c_str());
  return 1;
}

int run(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--features") return tell_features() ? 0 : 1;
  const auto arguments = parse(argc, argv);
  if (!arguments) return fail(arguments.error());
  if (arguments->stop) {
    const auto stopped = stop_unit(RuntimePaths{arguments->runtime}, arguments->unit);
    return stopped ? 0 : fail(stopped.error());
  }
  (void)::close_range(3, ~0U, 0);
  (void)::signal(SIGPIPE, SIG_IGN);
  (void)::umask(0022);
  if (::chdir("/") != 0) return fail(system_error("cannot change to /", errno));
  if (arguments->detach) {  // not under systemd: belong to nobody, so that nobody's end ends us
    const pid_t child = ::fork();
    if (child < 0) return fail(system_error("cannot fork", errno));
    if (child > 0) ::_exit(0);
    (void)::setsid();
  }
  const auto report = supervise(*arguments);
  if (!report) return fail(report.error());
  if (report->reason == ExitReport::Reason::StartFailed)
    (void)std::fprintf(stderr, "berth-supervisor: the container did not start:\n%s\n", report->message.c_str());
  return status_of(*report);
}

}  // namespace
}  // namespace berth::supervisor

int main(int argc, char** argv) {
  try {
    return berth::supervisor::run(argc, argv);
  } catch (const std::exception& problem) {
    (void)std::fprintf(stderr, "berth-supervisor: %s\n", problem.what());
    return 1;
  }
}
