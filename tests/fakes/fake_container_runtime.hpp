#pragma once

#include "daemon/ports/container_runtime.hpp"

#include <condition_variable>
#include <deque>
#include <fcntl.h>
#include <future>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

namespace berth::fakes {

/// Containers without liblxc: states, plans, execs and their reports, as a supervisor would bring them about. Reports
/// come on a thread of its own. A test can let a start fail or wait, let a guest ignore the halt signal, end a
/// container and finish a command. Any thread.
class FakeContainerRuntime final : public ports::ContainerRuntime {
 public:
  /// What a container was started with.
  struct Container {
    InstanceStatus status = InstanceStatus::Running;
    std::int32_t pid = 0;
    StartPlan plan;
    std::map<std::string, std::string> limits;
  };
  struct Exec {
    Uuid instance;
    bool begun = true;
    std::vector<std::string> command;
    ConfigMap environment;
    std::uint32_t uid = 0;
    std::string cwd;
    UniqueFd stdin_fd, stdout_fd, stderr_fd, lifeline;
    std::vector<int> signals;
  };

  FakeContainerRuntime() : thread_([this] { serve(); }) {}
  ~FakeContainerRuntime() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      changed_.notify_all();
    }
    thread_.join();
  }

  // What a test can arrange.
  void name_units(std::function<std::string(const ProjectName&, const InstanceName&)> name) {
    unit_name_ = std::move(name);
  }
  void refuse_next_start(Error error) {
    const std::lock_guard lock(mutex_);
    refused_start_ = std::move(error);
  }
  void refuse_next_limits(Error error) {
    const std::lock_guard lock(mutex_);
    refused_limits_ = std::move(error);
  }
  /// Starts stand still after their plan came, until it is false again.
  void hold_starts(bool held) {
    const std::lock_guard lock(mutex_);
    starts_held_ = held;
    changed_.notify_all();
  }
  void ignore_halt(bool ignored) {
    const std::lock_guard lock(mutex_);
    halt_ignored_ = ignored;
  }
  /// The container ends by itself.
  void end(const Uuid& uuid, ExitReport report) {
    const std::lock_guard lock(mutex_);
    end_locked(uuid, std::move(report));
  }
  void finish_exec(const OperationId& id, int code) {
    const std::lock_guard lock(mutex_);
    finish_locked(id, code);
  }
  /// What `systemctl start UNIT` does: a supervisor that nobody in Berth asked for.
  Result<void> start_from_outside(const Uuid& uuid, const std::string& unit) { return run(uuid, unit); }
  /// A new daemon: reports of the time between go nowhere, exit files stay.
  void detach() {
    const std::lock_guard lock(mutex_);
    events_ = {};
  }
  std::optional<Container> container(const Uuid& uuid) {
    const std::lock_guard lock(mutex_);
    const auto found = containers_.find(uuid);
    if (found == containers_.end()) return std::nullopt;
    return found->second;
  }
  /// Calls `look` with the exec, under the lock; false when there is none.
  bool with_exec(const OperationId& id, const std::function<void(Exec&)>& look) {
    const std::lock_guard lock(mutex_);
    const auto found = execs_.find(id);
    if (found == execs_.end()) return false;
    look(found->second);
    return true;
  }
  /// True once every report made so far was delivered.
  bool settle() {
    std::promise<void> done;
    auto reached = done.get_future();
    post([&done] { done.set_value(); });
    return reached.wait_for(std::chrono::seconds(20)) == std::future_status::ready;
  }

  // The port.
  Result<void> attach(ports::RuntimeEvents events) override {
    const std::lock_guard lock(mutex_);
    events_ = std::move(events);
    return {};
  }
  Result<void> start(const Uuid& uuid, const ProjectName& project, const InstanceName& name) override {
    return run(uuid, unit_name_(project, name));
  }
  Result<void> shutdown(const Uuid& uuid, std::optional<std::chrono::seconds> timeout,
                        const std::function<bool()>& cancelled) override {
    std::unique_lock lock(mutex_);
    if (!containers_.contains(uuid)) return not_running();
    if (!halt_ignored_) end_locked(uuid, {.reason = ExitReport::Reason::Stopped});
    const auto deadline = std::chrono::steady_clock::now() + timeout.value_or(std::chrono::hours(1));
    while (containers_.contains(uuid)) {
      if (cancelled()) return Error{Code::Cancelled, "The stop was cancelled; the container runs on"};
      if (std::chrono::steady_clock::now() >= deadline)
        return Error{Code::FailedPrecondition, "The container did not stop in time; it runs on"};
      changed_.wait_for(lock, std::chrono::milliseconds(5));
    }
    return {};
  }
  Result<void> kill(const Uuid& uuid) override {
    const std::lock_guard lock(mutex_);
    if (!containers_.contains(uuid)) return not_running();
    end_locked(uuid, {.reason = ExitReport::Reason::Killed});
    return {};
  }
  Result<void> freeze(const Uuid& uuid) override { return set_status(uuid, InstanceStatus::Frozen); }
  Result<void> unfreeze(const Uuid& uuid) override { return set_status(uuid, InstanceStatus::Running); }

  Result<ports::RuntimeState> state(const Uuid& uuid) override {
    const std::lock_guard lock(mutex_);
    const auto found = containers_.find(uuid);
    if (found == containers_.end()) return ports::RuntimeState{};
    return ports::RuntimeState{.status = found->second.status,
                               .init_pid = found->second.pid,
                               .processes = 2,
                               .cpu_ns = 13'340'043,
                               .memory_bytes = 638'976,
                               .memory_peak_bytes = 1'388'544};
  }
  Result<std::map<std::string, ports::NetworkInterface>> networks(const Uuid& uuid) override {
    const std::lock_guard lock(mutex_);
    if (!containers_.contains(uuid)) return not_running();
    ports::NetworkInterface lo{
        .addresses = {{"inet", "127.0.0.1", "8", "local"}}, .state = "up", .type = "loopback", .mtu = 65536};
    return std::map<std::string, ports::NetworkInterface>{{"lo", lo}};
  }
  InstanceStatus status(const Uuid& uuid) override {
    const std::lock_guard lock(mutex_);
    const auto found = containers_.find(uuid);
    return found == containers_.end() ? InstanceStatus::Stopped : found->second.status;
  }
  std::int32_t init_pid(const Uuid& uuid) override {
    const std::lock_guard lock(mutex_);
    const auto found = containers_.find(uuid);
    return found == containers_.end() ? 0 : found->second.pid;
  }
  Result<void> apply_limits(const Uuid& uuid, const std::vector<std::pair<std::string, std::string>>& files) override {
    const std::lock_guard lock(mutex_);
    if (refused_limits_) return *std::exchange(refused_limits_, std::nullopt);
    const auto found = containers_.find(uuid);
    if (found == containers_.end()) return not_running();
    for (const auto& [file, value] : files) found->second.limits[file] = value;
    return {};
  }
  Result<Uuid> instance_of(std::int32_t pid) override {
    const std::lock_guard lock(mutex_);
    for (const auto& [uuid, container] : containers_)
      if (container.pid == pid) return uuid;
    return Error{Code::NotFound, "Process " + std::to_string(pid) + " is in no container"};
  }

  Result<ports::RunningExec> exec(const Uuid& uuid, ports::ExecRequest request) override {
    const std::lock_guard lock(mutex_);
    if (!containers_.contains(uuid)) return not_running();
    ports::RunningExec running{.pid = request.deferred ? 0 : ++last_pid_};
    if (request.terminal) running.terminal.reset(open("/dev/null", O_RDWR | O_CLOEXEC));
    execs_.emplace(request.id, Exec{.instance = uuid,
                                    .begun = !request.deferred,
                                    .command = std::move(request.command),
                                    .environment = std::move(request.environment),
                                    .uid = request.uid,
                                    .cwd = std::move(request.cwd),
                                    .stdin_fd = std::move(request.stdin_fd),
                                    .stdout_fd = std::move(request.stdout_fd),
                                    .stderr_fd = std::move(request.stderr_fd),
                                    .lifeline = std::move(request.lifeline)});
    return running;
  }
  Result<void> begin_exec(const Uuid&, const OperationId& exec) override {
    const std::lock_guard lock(mutex_);
    const auto found = execs_.find(exec);
    if (found == execs_.end() || found->second.begun)
      return Error{Code::FailedPrecondition, "There is nothing to begin"};
    found->second.begun = true;
    return {};
  }
  Result<void> drop_exec(const Uuid&, const OperationId& exec) override {
    const std::lock_guard lock(mutex_);
    execs_.erase(exec);
    return {};
  }
  Result<void> signal_exec(const Uuid&, const OperationId& exec, int signal) override {
    const std::lock_guard lock(mutex_);
    const auto found = execs_.find(exec);
    if (found == execs_.end()) return Error{Code::NotFound, "No such command"};
    found->second.signals.push_back(signal);
    return {};
  }
  Result<std::vector<OperationId>> running_execs(const Uuid& uuid) override {
    const std::lock_guard lock(mutex_);
    std::vector<OperationId> ids;
    for (const auto& [id, exec] : execs_)
      if (exec.instance == uuid) ids.push_back(id);
    return ids;
  }
  Result<UniqueFd> console(const Uuid& uuid) override {
    const std::lock_guard lock(mutex_);
    if (!containers_.contains(uuid)) return not_running();
    return UniqueFd{open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)};
  }
  Result<std::optional<ExitReport>> last_exit(const Uuid& uuid) override {
    const std::lock_guard lock(mutex_);
    auto report = exits_.extract(uuid);
    if (report.empty()) return std::optional<ExitReport>{};
    return std::optional<ExitReport>{std::move(report.mapped())};
  }

 private:
  static Error not_running() { return Error{Code::FailedPrecondition, "The container isn't running"}; }

  /// A supervisor's way: it asks for its plan, starts, and tells that it runs.
  Result<void> run(const Uuid& uuid, const std::string& unit) {
    auto answer = std::make_shared<std::promise<Result<StartPlan>>>();
    auto came = answer->get_future();
    post([this, unit, answer] {
      std::function<void(std::string, std::string, std::function<void(Result<StartPlan>)>)> prepare;
      {
        const std::lock_guard lock(mutex_);
        prepare = events_.on_prepare;
      }
      if (!prepare) return answer->set_value(Error{Code::Unavailable, "berthd is not there"});
      prepare(unit, new_uuid().str(), [answer](Result<StartPlan> plan) { answer->set_value(std::move(plan)); });
    });
    if (came.wait_for(std::chrono::seconds(20)) != std::future_status::ready)
      return Error{Code::Unavailable, "berthd did not answer"};
    BERTH_TRY(auto plan, came.get());

    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !starts_held_; });
    if (refused_start_) {
      Error error = *std::exchange(refused_start_, std::nullopt);
      report_locked(uuid, {.reason = ExitReport::Reason::StartFailed, .message = error.message});
      return error;
    }
    containers_.insert_or_assign(uuid, Container{.pid = ++last_pid_, .plan = std::move(plan)});
    if (events_.on_started) queue_.push_back([started = events_.on_started, uuid] { started(uuid); });
    changed_.notify_all();
    return {};
  }

  void end_locked(const Uuid& uuid, ExitReport report) {
    if (containers_.erase(uuid) == 0) return;
    std::vector<OperationId> left;
    for (const auto& [id, exec] : execs_)
      if (exec.instance == uuid) left.push_back(id);
    for (const auto& id : left) finish_locked(id, 137);
    report_locked(uuid, std::move(report));
  }
  void report_locked(const Uuid& uuid, ExitReport report) {
    if (events_.on_exit)
      queue_.push_back([tell = events_.on_exit, uuid, report] { tell(uuid, report); });
    else
      exits_.insert_or_assign(uuid, std::move(report));
    changed_.notify_all();
  }
  void finish_locked(const OperationId& id, int code) {
    if (execs_.erase(id) == 0) return;
    if (events_.on_exec_finished) queue_.push_back([tell = events_.on_exec_finished, id, code] { tell(id, code); });
    changed_.notify_all();
  }
  Result<void> set_status(const Uuid& uuid, InstanceStatus status) {
    const std::lock_guard lock(mutex_);
    const auto found = containers_.find(uuid);
    if (found == containers_.end()) return not_running();
    found->second.status = status;
    return {};
  }

  void post(std::function<void()> job) {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(job));
    changed_.notify_all();
  }
  void serve() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (stopping_) return;
      const auto job = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      job();
      lock.lock();
    }
  }

  std::function<std::string(const ProjectName&, const InstanceName&)> unit_name_;
  std::mutex mutex_;
  std::condition_variable changed_;
  ports::RuntimeEvents events_;
  std::deque<std::function<void()>> queue_;
  std::map<Uuid, Container> containers_;
  std::map<OperationId, Exec> execs_;
  std::map<Uuid, ExitReport> exits_;
  std::optional<Error> refused_start_;
  std::optional<Error> refused_limits_;
  bool starts_held_ = false;
  bool halt_ignored_ = false;
  bool stopping_ = false;
  std::int32_t last_pid_ = 1000;
  std::thread thread_;
};

}  // namespace berth::fakes
