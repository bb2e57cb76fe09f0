#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/event_loop.hpp"
#include "base/names.hpp"
#include "base/unique_fd.hpp"
#include "daemon/domain/idmap.hpp"
#include "daemon/domain/supervisor_protocol.hpp"
#include "daemon/supervisor/lxc_handle.hpp"

namespace berth::supervisor {

/// The commands that run in the container on somebody's behalf, and the deferred ones. Loop thread.
class ExecTable {
 public:
  using Started = std::function<void(Result<pid_t>)>;
  using Finished = std::function<void(const Uuid& exec, int code)>;

  /// `finished` is told once for every command that was started, after its result file is written.
  ExecTable(EventLoop& loop, Uuid container, RuntimePaths paths, IdMap idmap, Finished finished);

  /// Takes the streams (none for a terminal; then a lifeline, if the command has one) and starts the command, or keeps it when it is deferred; `started` then
  /// comes at once with 0. Returns the terminal's master, or none.
  Result<UniqueFd> add(const Uuid& id, ExecCommand command, std::vector<UniqueFd> streams, lxc_container& container,
                       Started started);
  /// Starts a deferred command. FailedPrecondition when it runs already, NotFound when there is none.
  Result<void> begin(const Uuid& id, Started started);
  Result<void> drop(const Uuid& id);
  /// Forgets every deferred command: nobody is there to begin them.
  void drop_deferred();
  Result<void> signal(const Uuid& id, int number);
  std::vector<std::string> ids() const;
  bool idle() const;

  /// A child of this process ended. False when it is none of this table's.
  bool reaped(pid_t pid, int status);
  /// Nothing runs any more: what is left counts as killed.
  void give_up();

 private:
  struct Exec {
    ExecCommand command;
    std::vector<UniqueFd> streams;
    bool begun = false;
    pid_t attacher = 0;  ///< 0 when there is none, or no longer
    UniqueFd report;
    UniqueFd lifeline;       ///< watched from the launch on
    bool abandoned = false;  ///< its lifeline was cut before its pid was known
    pid_t pid = 0;
    UniqueFd pidfd;
    Started started;
  };
  Result<void> launch(const Uuid& id, Exec& exec);
  /// Reads what the attacher said, if anything yet; `last` when no more can come.
  void read_report(const Uuid& id, bool last);
  void finish(const Uuid& id, int code);
  /// The other side of a lifeline let go, or is gone.
  void lifeline_ended(const Uuid& id);
  static void kill_group(const Exec& exec);
  /// Stops listening to the lifeline of an exec that has ended, and tells `word` over it.
  void cut_lifeline(Exec& exec, const std::string& word);
  std::uint32_t host_uid(std::uint32_t guest) const;

  EventLoop& loop_;
  Uuid container_;
  RuntimePaths paths_;
  IdMap idmap_;
  Finished finished_;
  std::map<Uuid, Exec> execs_;
};

}  // namespace berth::supervisor
