#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/event_loop.hpp"
#include "base/unique_fd.hpp"
#include "daemon/domain/start_plan.hpp"
#include "daemon/domain/supervisor_protocol.hpp"
#include "daemon/supervisor/container_start.hpp"
#include "daemon/supervisor/control_server.hpp"
#include "daemon/supervisor/exec_table.hpp"
#include "daemon/supervisor/lxc_handle.hpp"

namespace berth::supervisor {

/// One container's life: starts it, answers the control socket, tells how it ended. One thread.
class Supervisor {
 public:
  Supervisor(EventLoop& loop, RuntimePaths paths, std::string unit, StartPlan plan, UniqueFd connection,
             StartSurroundings around);

  /// Returns when the container has ended and the exit file is written: the report that is in it.
  ExitReport run();

 private:
  Result<void> begin();
  Result<void> make_folders();
  void running(pid_t init);
  void watcher_reported();
  void starter_reported();
  void on_children();
  void on_terminate();
  void ended(int status);
  ExitReport report_of(int status) const;
  void finish();
  void kill_container();

  void handle(ControlServer::Client client, Message message, std::vector<UniqueFd> fds);
  void handle_exec(ControlServer::Client client, Message message, std::vector<UniqueFd> fds);
  void handle_begin(ControlServer::Client client, const Uuid& id);
  void handle_console(ControlServer::Client client);
  void handle_shutdown(ControlServer::Client client, bool host);
  void answer(ControlServer::Client client, const Result<void>& result);
  Message state() const;
  Result<void> halt();

  EventLoop& loop_;
  RuntimePaths paths_;
  std::string unit_;
  StartPlan plan_;
  UniqueFd connection_;  ///< to berthd, until RUNNING is told
  StartSurroundings around_;
  UniqueFd lock_;
  UniqueFd signals_;
  ControlServer control_;
  ExecTable execs_;
  std::optional<LxcHandle> lxc_;
  UniqueFd console_keeper_;
  Reporter starter_;
  Reporter watcher_;
  std::string setup_error_;
  pid_t init_ = 0;
  UniqueFd init_pidfd_;
  bool was_running_ = false;
  bool killed_ = false;
  bool host_shutdown_ = false;
  std::uint64_t start_timer_ = 0;
  std::string start_problem_;
  std::optional<ExitReport> report_;
};

}  // namespace berth::supervisor
