#include "daemon/supervisor/container_start.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <string_view>

#include "daemon/domain/lxc_config.hpp"
#include "daemon/supervisor/lxc_handle.hpp"
#include "daemon/supervisor/root_setup.hpp"

namespace berth::supervisor {
namespace {

std::string root_path(const RootSpec& root, const std::string& stage) {
  if (root.kind == RootSpec::Kind::Overlay) return "overlay:" + stage + "/lower:" + stage + "/layer/upper";
  return "dir:" + stage + "/root";
}

std::string root_options(const StartPlan& plan) {
  std::string options = plan.root_readonly ? "ro" : "";
  const auto add = [&options](const char* more) { options += (options.empty() ? "" : ",") + std::string(more); };
  // liblxc mounts the overlay in the container's own user and mount namespaces: only there may both layers be idmapped.
  if (plan.root.kind == RootSpec::Kind::Overlay)
    add("userxattr,index=off,xino=auto");
  else if (!plan.idmap.privileged())
    add("idmap=container");
  return options;
}

/// All that liblxc is told, in order.
LxcConfig configuration(const StartPlan& plan, const StartSurroundings& around) {
  const std::string stage = around.paths.stage();
  LxcConfig items{{"lxc.log.file", plan.log_file},
                  {"lxc.log.level", "WARN"},
                  {"lxc.cgroup.dir", around.cgroup_parent},
                  {"lxc.rootfs.path", root_path(plan.root, stage)}};
  for (const auto& entry : plan.idmap.entries)
    items.emplace_back("lxc.idmap", std::string(entry.uid ? "u " : "g ") + std::to_string(entry.inside) + " " +
                                        std::to_string(entry.outside) + " " + std::to_string(entry.count));
  if (const auto options = root_options(plan); !options.empty()) items.emplace_back("lxc.rootfs.options", options);
  items.emplace_back("lxc.hook.post-stop", stage + "/berth-hook stopped");
  if (!plan.console_file.empty()) items.emplace_back("lxc.console.logfile", plan.console_file);
  items.insert(items.end(), plan.lxc_config.begin(), plan.lxc_config.end());
  return items;
}

/// For a person who wants to know what this start was made of: `lxc.conf` beside the log. Not being able to write it is no
/// reason not to start.
void write_down(const LxcConfig& items, const std::string& log_file) {
  std::string text;
  for (const auto& [key, value] : items) text += key + " = " + value + "\n";
  const std::string path = log_file.substr(0, log_file.rfind('/')) + "/lxc.conf";
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (file) (void)!::write(file.get(), text.data(), text.size());
}

Result<void> configure(LxcHandle& lxc, const LxcConfig& items) {
  for (const auto& [key, value] : items) BERTH_CHECK(lxc.set_item(key, value));
  return {};
}

/// Descriptors 0 to 2 become /dev/null, everything but `keep` is closed.
void shed_descriptors(int keep) {
  const int null = ::open("/dev/null", O_RDWR);
  for (int fd = 0; fd <= 2; ++fd) (void)::dup2(null, fd);
  (void)::dup3(keep, 3, O_CLOEXEC);
  (void)::close_range(4, ~0U, 0);
}

void unblock_signals() {
  sigset_t none;
  (void)::sigemptyset(&none);
  (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
  (void)::signal(SIGPIPE, SIG_DFL);
}

StartStatus run_container(const StartPlan& plan, const StartSurroundings& around, int report) {
  const auto fail = [report](const Error& error) {
    (void)!::write(report, error.message.data(), error.message.size());
    return StartStatus::Failed;
  };
  if (auto ready = set_up_root(plan, around.paths, around.hook); !ready) return fail(ready.error());
  // Where liblxc finds newuidmap it lets it write the id map, which refuses root a range that is not in /etc/subuid;
  // without a PATH it writes the map itself.
  (void)::unsetenv("PATH");
  auto lxc = LxcHandle::open(plan.uuid.str(), around.paths.lxc());
  if (!lxc) return fail(lxc.error());
  const auto items = configuration(plan, around);
  write_down(items, plan.log_file);
  if (auto configured = configure(*lxc, items); !configured) return fail(configured.error());
  (void)::close(report);
  lxc_container* c = lxc->get();
  (void)c->want_daemonize(c, false);
  if (!c->start(c, 0, nullptr)) return StartStatus::Failed;
  // The kernel lets the init of a pid namespace that reboots end by SIGHUP; liblxc 5 puts a deadly signal where a wait
  // status has the one that stopped a process.
  const bool rebooted = WIFSTOPPED(c->error_num) && WSTOPSIG(c->error_num) == SIGHUP;
  return rebooted ? StartStatus::Rebooted : StartStatus::Ended;
}

/// Forks `work(write end)`; the child is killed when the parent goes.
template <typename Work>
Result<Reporter> fork_reporter(Work work) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_error("cannot make a pipe", errno);
  UniqueFd in(ends[0]);
  UniqueFd out(ends[1]);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return system_error("cannot fork", errno);
  if (child == 0) {
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(0);
    unblock_signals();
    shed_descriptors(out.get());
    ::_exit(work(3));
  }
  return Reporter{child, std::move(in)};
}

int poll_until_running(const Uuid& uuid, const RuntimePaths& paths, int report) {
  auto lxc = LxcHandle::open(uuid.str(), paths.lxc());
  if (!lxc) return 1;
  lxc_container* c = lxc->get();
  // Until liblxc listens, which takes it some milliseconds, asking would only take a processor from it.
  constexpr timespec kHeadStart{.tv_sec = 0, .tv_nsec = 3'000'000};
  (void)::nanosleep(&kHeadStart, nullptr);
  // Ends when the parent says so: it has the deadline.
  for (;;) {
    const char* state = c->state(c);
    if (state != nullptr && std::string_view(state) == "RUNNING") break;
    const timespec pause{.tv_sec = 0, .tv_nsec = 250'000};
    (void)::nanosleep(&pause, nullptr);
  }
  const std::string pid = std::to_string(c->init_pid(c));
  return ::write(report, pid.data(), pid.size()) == static_cast<ssize_t>(pid.size()) ? 0 : 1;
}

}  // namespace

Result<Reporter> start_container(const StartPlan& plan, const StartSurroundings& around) {
  return fork_reporter([&](int report) { return static_cast<int>(run_container(plan, around, report)); });
}

Result<Reporter> watch_for_running(const Uuid& uuid, const RuntimePaths& paths) {
  return fork_reporter([&](int report) { return poll_until_running(uuid, paths, report); });
}

std::string last_errors(const std::string& log_file) {
  constexpr std::size_t kLines = 10;
  std::deque<std::string> lines;
  std::ifstream log(log_file);
  for (std::string line; std::getline(log, line);) {
    if (line.find(" ERROR ") == std::string::npos) continue;
    lines.push_back(std::move(line));
    if (lines.size() > kLines) lines.pop_front();
  }
  std::string text;
  for (const auto& line : lines) text += (text.empty() ? "  " : "\n  ") + line;
  return text;
}

}  // namespace berth::supervisor
