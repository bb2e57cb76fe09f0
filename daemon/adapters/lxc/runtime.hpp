#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "base/event_loop.hpp"
#include "daemon/adapters/lxc/guest_cgroup.hpp"
#include "daemon/domain/supervisor_protocol.hpp"
#include "daemon/ports/container_runtime.hpp"
#include "daemon/ports/unit_manager.hpp"

namespace berth::lxc {

/// Containers by liblxc, one supervisor each. A thread of its own serves the doorbell and listens to every supervisor.
class LxcRuntime final : public ports::ContainerRuntime {
 public:
  /// `listener` is the doorbell as systemd handed it over (listening, SOCK_SEQPACKET), or none: then the socket is made
  /// here. `units` outlives this object.
  LxcRuntime(supervisor::RuntimePaths paths, ports::UnitManager& units, UniqueFd listener = {});
  ~LxcRuntime() override;
  LxcRuntime(const LxcRuntime&) = delete;
  LxcRuntime& operator=(const LxcRuntime&) = delete;

  Result<void> attach(ports::RuntimeEvents events) override;
  Result<void> start(const Uuid& uuid, const ProjectName& project, const InstanceName& name) override;
  Result<void> shutdown(const Uuid& uuid, std::optional<std::chrono::seconds> timeout,
                        const std::function<bool()>& cancelled) override;
  Result<void> kill(const Uuid& uuid) override;
  Result<void> freeze(const Uuid& uuid) override;
  Result<void> unfreeze(const Uuid& uuid) override;
  Result<ports::RuntimeState> state(const Uuid& uuid) override;
  Result<std::map<std::string, ports::NetworkInterface>> networks(const Uuid& uuid) override;
  InstanceStatus status(const Uuid& uuid) override;
  std::int32_t init_pid(const Uuid& uuid) override;
  Result<void> apply_limits(const Uuid& uuid, const std::vector<std::pair<std::string, std::string>>& files) override;
  Result<Uuid> instance_of(std::int32_t pid) override;
  Result<ports::RunningExec> exec(const Uuid& uuid, ports::ExecRequest request) override;
  Result<void> begin_exec(const Uuid& uuid, const OperationId& exec) override;
  Result<void> drop_exec(const Uuid& uuid, const OperationId& exec) override;
  Result<void> signal_exec(const Uuid& uuid, const OperationId& exec, int signal) override;
  Result<std::vector<OperationId>> running_execs(const Uuid& uuid) override;
  Result<UniqueFd> console(const Uuid& uuid) override;
  Result<std::optional<ExitReport>> last_exit(const Uuid& uuid) override;

 private:
  /// A container whose supervisor lives.
  struct Running {
    pid_t init = 0;
    int protocol = 1;  ///< what its supervisor speaks
    std::string unit;
    GuestCgroup cgroup;
    bool frozen = false;
    bool starting = false;  ///< its supervisor went before it said that the container runs
    std::shared_ptr<UniqueFd> watch;  ///< loop thread only
  };
  /// Somebody in start().
  struct Starting {
    std::string unit;
    bool prepared = false;
    std::optional<Result<void>> outcome;
  };
  /// A supervisor at the doorbell. Loop thread only.
  struct Visitor {
    UniqueFd socket;
    std::string unit;
    std::optional<Uuid> uuid;
    bool settled = false;  ///< it has told how its start went
  };

  // Loop thread.
  void accept_visitor();
  void visitor_speaks(std::uint64_t id);
  void visitor_leaves(std::uint64_t id);
  void prepare(std::uint64_t id, const supervisor::Message& message);
  void send_plan(std::uint64_t id, Result<StartPlan> plan);
  void told_running(std::uint64_t id, const supervisor::Message& message);
  void told_ended(std::uint64_t id, const supervisor::Message& message);
  void supervisor_speaks(const Uuid& uuid);
  void told_state(const Uuid& uuid, const supervisor::Message& message);
  void supervisor_gone(const Uuid& uuid, EventLoop::Clock::time_point deadline);
  void deliver_exec(const Uuid& uuid, const Uuid& exec);
  void deliver_execs(const Uuid& uuid);
  void settle(const std::string& unit, Result<void> outcome);

  Result<void> adopt(const Uuid& uuid, const std::string& unit);
  void survey();
  Result<Running> find(const Uuid& uuid);
  Result<void> wait_ended(const Uuid& uuid, std::optional<std::chrono::seconds> timeout,
                          const std::function<bool()>& cancelled);
  Result<void> set_frozen(const Uuid& uuid, bool frozen);
  std::optional<ExitReport> take_exit_file(const Uuid& uuid);
  void tidy(const Uuid& uuid);

  supervisor::RuntimePaths paths_;
  ports::UnitManager& units_;
  UniqueFd listener_;
  ports::RuntimeEvents events_;
  std::shared_ptr<EventLoop> loop_;
  std::map<std::uint64_t, Visitor> visitors_;
  std::uint64_t last_visitor_ = 0;

  std::mutex mutex_;  ///< guards running_ and starting_
  std::condition_variable changed_;
  std::map<Uuid, Running> running_;
  std::map<Uuid, Starting> starting_;
  std::thread thread_;
};

}  // namespace berth::lxc
