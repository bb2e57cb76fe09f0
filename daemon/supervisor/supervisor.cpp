#include "daemon/supervisor/supervisor.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>

#include "base/cgroup.hpp"
#include "base/packet.hpp"
#include "daemon/supervisor/notify.hpp"

namespace berth::supervisor {
namespace {

using namespace std::chrono_literals;

constexpr auto kStartDeadline = 120s;
constexpr auto kExecFarewell = 2s;  ///< for the kernel to end what ran in a container that is gone

std::string read_all(int fd) {
  std::string text;
  std::array<char, 4096> chunk{};
  for (ssize_t got = 0; (got = ::read(fd, chunk.data(), chunk.size())) > 0;)
    text.append(chunk.data(), static_cast<std::size_t>(got));
  return text;
}

Result<void> make_folder(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) return system_error("cannot make " + path, errno);
  return {};
}

Timestamp now() { return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()); }

/// A frozen v1 cgroup does not even let a kill through.
void thaw(pid_t init) {
  const auto places = cgroups_of(init);
  if (!places) return;
  for (const auto& place : *places)
    if (place.has("freezer"))
      (void)write_text(place.hierarchy.mount + std::string(payload_root(place.path)) + "/freezer.state", "THAWED");
}

}  // namespace

Supervisor::Supervisor(EventLoop& loop, RuntimePaths paths, std::string unit, StartPlan plan, UniqueFd connection,
                       StartSurroundings around)
    : loop_(loop),
      paths_(std::move(paths)),
      unit_(std::move(unit)),
      plan_(std::move(plan)),
      connection_(std::move(connection)),
      around_(std::move(around)),
      control_(
          loop,
          [this](ControlServer::Client client, Message message, std::vector<UniqueFd> fds) {
            handle(client, std::move(message), std::move(fds));
          },
          [this] { execs_.drop_deferred(); }),
      execs_(loop, plan_.uuid, paths_, plan_.idmap, [this](const Uuid& exec, int code) {
        control_.notify({.type = std::string(type::kExecFinished), .id = exec.str(), .value = code});
        if (report_ && execs_.idle()) loop_.quit();
      }) {}

ExitReport Supervisor::run() {
  if (auto begun = begin(); begun)
    (void)loop_.run();
  else
    report_ = ExitReport{ExitReport::Reason::StartFailed, begun.error().message, now()};
  finish();
  return *report_;
}

Result<void> Supervisor::make_folders() {
  for (const auto& folder : {paths_.instances(), paths_.instance(plan_.uuid), paths_.execs(plan_.uuid), paths_.units()})
    BERTH_CHECK(make_folder(folder, 0700));
  // The container's root has to pass these two; there is nothing in them.
  BERTH_CHECK(make_folder(paths_.lxc(), 0755));
  return make_folder(paths_.stage(), 0755);
}

Result<void> Supervisor::begin() {
  BERTH_CHECK(make_folders());
  lock_.reset(::open((paths_.instance(plan_.uuid) + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock_) return system_error("cannot open the container's lock", errno);
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    lock_.reset();
    return Error{Code::Busy, "the container has a supervisor already"};
  }
  (void)::unlink(paths_.exit_file(plan_.uuid).c_str());
  (void)::unlink(paths_.unit(unit_).c_str());
  if (::symlink(("../instances/" + plan_.uuid.str()).c_str(), paths_.unit(unit_).c_str()) != 0)
    return system_error("cannot note the unit's instance", errno);
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return system_error("cannot become a subreaper", errno);
  sigset_t wanted;
  (void)::sigemptyset(&wanted);
  for (const int number : {SIGCHLD, SIGTERM, SIGINT}) (void)::sigaddset(&wanted, number);
  if (::sigprocmask(SIG_BLOCK, &wanted, nullptr) != 0) return system_error("cannot block signals", errno);
  signals_.reset(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_) return system_error("cannot wait for signals", errno);
  BERTH_CHECK(loop_.watch(signals_.get(), [this] {
    signalfd_siginfo info{};
    bool children = false;
    while (::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      children = children || info.ssi_signo == SIGCHLD;
      if (info.ssi_signo != SIGCHLD) on_terminate();
    }
    if (children) on_children();
  }));
  // What an earlier supervisor of this container could not remove when it was killed.
  (void)remove_container_cgroups(around_.cgroup_parent, plan_.uuid.str(), true);
  BERTH_TRY(starter_, start_container(plan_, around_));
  plan_.lxc_config.shrink_to_fit();
  BERTH_TRY(watcher_, watch_for_running(plan_.uuid, paths_));
  BERTH_CHECK(loop_.watch(watcher_.report.get(), [this] { watcher_reported(); }));
  BERTH_CHECK(loop_.watch(starter_.report.get(), [this] { starter_reported(); }));
  start_timer_ = loop_.at(EventLoop::Clock::now() + kStartDeadline, [this] {
    start_problem_ = "the container did not come to run in 120 seconds";
    kill_container();
  });
  return control_.listen(paths_.control(plan_.uuid));
}

void Supervisor::watcher_reported() {
  const std::string text = read_all(watcher_.report.get());
  loop_.forget(watcher_.report.get());
  watcher_.report.reset();
  pid_t init = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), init);
  if (init > 0) running(init);
}

void Supervisor::starter_reported() {
  setup_error_ = read_all(starter_.report.get());
  loop_.forget(starter_.report.get());
  starter_.report.reset();
}

void Supervisor::running(pid_t init) {
  loop_.cancel(start_timer_);
  init_ = init;
  init_pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, init, 0)));
  was_running_ = true;
  if (killed_) kill_container();  // asked while it was starting
  notify_ready();
  if (connection_)
    (void)send_packet(connection_.get(),
                      encode({.type = std::string(type::kRunning), .id = plan_.uuid.str(), .pid = init}));
  connection_.reset();
  control_.notify(state());
}

void Supervisor::on_terminate() {
  killed_ = true;
  kill_container();
}

void Supervisor::kill_container() {
  if (init_pidfd_) {
    (void)::syscall(SYS_pidfd_send_signal, init_pidfd_.get(), SIGKILL, nullptr, 0);
    thaw(init_);
  } else if (starter_.pid > 0) {
    (void)::kill(starter_.pid, SIGKILL);
  }
}

void Supervisor::on_children() {
  int status = 0;
  for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    if (pid == starter_.pid)
      ended(status);
    else if (pid == watcher_.pid)
      watcher_.pid = 0;
    else
      (void)execs_.reaped(pid, status);
  }
}

void Supervisor::ended(int status) {
  starter_.pid = 0;
  if (watcher_.pid > 0 && !was_running_) (void)::kill(watcher_.pid, SIGKILL);
  if (starter_.report) starter_reported();
  loop_.cancel(start_timer_);
  report_ = report_of(status);
  execs_.drop_deferred();
  if (execs_.idle())
    loop_.quit();
  else
    (void)loop_.at(EventLoop::Clock::now() + kExecFarewell, [this] { loop_.quit(); });
}

ExitReport Supervisor::report_of(int status) const {
  using Reason = ExitReport::Reason;
  const bool exited = WIFEXITED(status);
  const auto result = exited ? static_cast<StartStatus>(WEXITSTATUS(status)) : StartStatus::Failed;
  if (host_shutdown_) return {Reason::HostShutdown, "", now()};
  if (killed_) return {Reason::Killed, "", now()};
  if (!start_problem_.empty()) return {Reason::StartFailed, start_problem_, now()};
  if (result == StartStatus::Rebooted) return {Reason::Rebooted, "", now()};
  if (!setup_error_.empty()) return {Reason::StartFailed, setup_error_, now()};
  if (result == StartStatus::Failed && exited && !was_running_)
    return {Reason::StartFailed, last_errors(plan_.log_file), now()};
  if (!exited) return {Reason::Killed, "the container's liblxc process was killed", now()};
  return {Reason::Stopped, "", now()};
}

void Supervisor::finish() {
  if (starter_.pid > 0) {  // a step after its start failed
    (void)::kill(starter_.pid, SIGKILL);
    (void)::waitpid(starter_.pid, nullptr, 0);
  }
  if (watcher_.pid > 0) (void)::kill(watcher_.pid, SIGKILL);
  execs_.give_up();
  if (!lock_) {  // another supervisor has the container: its files are not ours
    if (connection_)
      (void)send_packet(connection_.get(), encode({.type = std::string(type::kEnded), .message = report_->message}));
    return;
  }
  lxc_.reset();
  (void)remove_container_cgroups(around_.cgroup_parent, plan_.uuid.str(), true);
  (void)::unlink(("/run/lxc/lock/" + paths_.lxc() + "/." + plan_.uuid.str()).c_str());
  (void)::unlink(paths_.unit(unit_).c_str());
  (void)::unlink(paths_.control(plan_.uuid).c_str());
  (void)replace_file(paths_.exit_file(plan_.uuid), encode_exit(*report_) + "\n");
  if (!connection_) {
    if (auto bell = connect_packets(paths_.doorbell()); bell) connection_ = *std::move(bell);
  }
  if (connection_)
    (void)send_packet(connection_.get(), encode({.type = std::string(type::kEnded),
                                                 .id = plan_.uuid.str(),
                                                 .message = report_->message}));
}

}  // namespace berth::supervisor
