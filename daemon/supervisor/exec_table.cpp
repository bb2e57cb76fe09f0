#include "daemon/supervisor/exec_table.hpp"

#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include "base/packet.hpp"
#include "daemon/supervisor/attach.hpp"
#include "daemon/supervisor/terminal.hpp"

namespace berth::supervisor {
namespace {

constexpr std::uint32_t kTtyGroup = 5;  // Debian's, and what liblxc mounts devpts with
constexpr int kSignalBase = 128;

std::uint32_t outside_id(const IdMap& map, bool uid, std::uint32_t inside, std::uint32_t fallback) {
  if (map.privileged()) return inside;
  for (const auto& entry : map.entries)
    if (entry.uid == uid && inside >= entry.inside && inside - entry.inside < entry.count)
      return entry.outside + (inside - entry.inside);
  return fallback;
}

int code_of(int status) {
  return WIFSIGNALED(status) ? kSignalBase + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

ExecTable::ExecTable(EventLoop& loop, Uuid container, RuntimePaths paths, IdMap idmap, Finished finished)
    : loop_(loop),
      container_(std::move(container)),
      paths_(std::move(paths)),
      idmap_(std::move(idmap)),
      finished_(std::move(finished)) {}

std::uint32_t ExecTable::host_uid(std::uint32_t guest) const {
  return outside_id(idmap_, true, guest, idmap_.root_uid());
}

Result<UniqueFd> ExecTable::add(const Uuid& id, ExecCommand command, std::vector<UniqueFd> streams,
                                lxc_container& container, Started started) {
  if (execs_.contains(id)) return Error{Code::AlreadyExists, "exec " + id.str() + " exists already"};
  if (execs_.size() >= kMaxExecs)
    return Error{Code::LimitsExceeded, "the container runs " + std::to_string(kMaxExecs) + " commands already"};
  if (command.command.empty() || command.command.front().empty())
    return Error{Code::InvalidArgument, "an exec needs a command"};
  Exec exec;
  UniqueFd master;
  if (command.lifeline) {
    if (streams.empty()) return Error{Code::InvalidArgument, "the lifeline is missing"};
    exec.lifeline = std::move(streams.back());
    streams.pop_back();
  }
  if (command.terminal) {
    const std::uint32_t group = outside_id(idmap_, false, kTtyGroup, idmap_.root_gid());
    BERTH_TRY(Terminal terminal, open_terminal(container, host_uid(command.uid), group, command.width, command.height));
    master = std::move(terminal.master);
    exec.streams.push_back(std::move(terminal.slave));
  } else {
    if (streams.size() != 3) return Error{Code::InvalidArgument, "an exec without a terminal needs three streams"};
    exec.streams = std::move(streams);
  }
  const bool deferred = command.deferred;
  exec.command = std::move(command);
  exec.started = std::move(started);
  if (!deferred) {
    BERTH_CHECK(launch(id, exec));
  }
  auto& kept = execs_.emplace(id, std::move(exec)).first->second;
  if (deferred) std::exchange(kept.started, nullptr)(pid_t{0});
  return master;
}

Result<void> ExecTable::launch(const Uuid& id, Exec& exec) {
  const int in = exec.streams.front().get();
  const auto streams = exec.command.terminal
                           ? std::array<int, 3>{in, in, in}
                           : std::array<int, 3>{in, exec.streams[1].get(), exec.streams[2].get()};
  BERTH_TRY(Attacher attacher, attach_command(container_, paths_, exec.command, streams));
  exec.begun = true;
  exec.attacher = attacher.pid;
  exec.report = std::move(attacher.report);
  exec.streams.clear();
  if (exec.lifeline) BERTH_CHECK(loop_.watch(exec.lifeline.get(), [this, id] { lifeline_ended(id); }));
  return loop_.watch(exec.report.get(), [this, id] { read_report(id, false); });
}

void ExecTable::read_report(const Uuid& id, bool last) {
  const auto found = execs_.find(id);
  if (found == execs_.end() || !found->second.report) return;
  Exec& exec = found->second;
  std::array<char, 16> text{};
  const ssize_t got = ::read(exec.report.get(), text.data(), text.size());
  if (got < 0 && errno == EAGAIN && !last) return;
  loop_.forget(exec.report.get());
  exec.report.reset();
  pid_t pid = 0;
  if (got > 0) (void)std::from_chars(text.data(), text.data() + got, pid);
  const Started started = std::exchange(exec.started, nullptr);
  if (pid <= 0) {
    cut_lifeline(exec, "");
    execs_.erase(found);
    if (started) started(Error{Code::FailedPrecondition, "the container could not be entered; it may be stopping"});
    return;
  }
  exec.pid = pid;
  // The process is ours to reap, so its pid cannot be another's.
  exec.pidfd.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (started) started(pid);
  // Later: this may be the round that has reaped it, and then its number is free.
  if (exec.abandoned)
    loop_.post([this, id] {
      if (const auto still = execs_.find(id); still != execs_.end()) kill_group(still->second);
    });
}

void ExecTable::lifeline_ended(const Uuid& id) {
  const auto found = execs_.find(id);
  if (found == execs_.end()) return;
  Exec& exec = found->second;
  char byte = 0;
  const ssize_t got = ::recv(exec.lifeline.get(), &byte, 1, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  loop_.forget(exec.lifeline.get());
  exec.lifeline.reset();
  if (got > 0) return;  // it goes on alone
  exec.abandoned = true;
  if (exec.pid > 0) kill_group(exec);
}

void ExecTable::kill_group(const Exec& exec) {
  // Its process is not reaped yet, so neither number can be another's. The first fails in the moment before its setsid().
  (void)::kill(-exec.pid, SIGKILL);
  (void)::kill(exec.pid, SIGKILL);
}

void ExecTable::cut_lifeline(Exec& exec, const std::string& word) {
  if (!exec.lifeline) return;
  loop_.forget(exec.lifeline.get());
  // Whoever does not read has no room for it, and is told by the end alone.
  if (!word.empty()) (void)::send(exec.lifeline.get(), word.data(), word.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  exec.lifeline.reset();
}

Result<void> ExecTable::begin(const Uuid& id, Started started) {
  const auto found = execs_.find(id);
  if (found == execs_.end()) return Error{Code::NotFound, "there is no exec " + id.str()};
  Exec& exec = found->second;
  if (exec.begun) return Error{Code::FailedPrecondition, "exec " + id.str() + " runs already"};
  BERTH_CHECK(launch(id, exec));
  exec.started = std::move(started);
  return {};
}

Result<void> ExecTable::drop(const Uuid& id) {
  const auto found = execs_.find(id);
  if (found == execs_.end()) return Error{Code::NotFound, "there is no exec " + id.str()};
  if (found->second.begun) return Error{Code::FailedPrecondition, "exec " + id.str() + " runs already"};
  execs_.erase(found);
  return {};
}

void ExecTable::drop_deferred() {
  std::erase_if(execs_, [](const auto& entry) { return !entry.second.begun; });
}

Result<void> ExecTable::signal(const Uuid& id, int number) {
  const auto found = execs_.find(id);
  if (found == execs_.end()) return Error{Code::NotFound, "there is no exec " + id.str()};
  if (number < 1 || number >= NSIG) return Error{Code::InvalidArgument, std::to_string(number) + " is no signal"};
  if (!found->second.pidfd) return Error{Code::FailedPrecondition, "exec " + id.str() + " does not run yet"};
  if (::syscall(SYS_pidfd_send_signal, found->second.pidfd.get(), number, nullptr, 0) != 0)
    return system_error("cannot signal exec " + id.str(), errno);
  return {};
}

std::vector<std::string> ExecTable::ids() const {
  std::vector<std::string> ids;
  for (const auto& [id, exec] : execs_) ids.push_back(id.str());
  return ids;
}

bool ExecTable::idle() const {
  for (const auto& [id, exec] : execs_)
    if (exec.begun) return false;
  return true;
}

bool ExecTable::reaped(pid_t pid, int status) {
  const auto by_attacher = std::find_if(execs_.begin(), execs_.end(),
                                        [pid](const auto& entry) { return entry.second.attacher == pid; });
  if (by_attacher != execs_.end()) {
    by_attacher->second.attacher = 0;
    read_report(Uuid(by_attacher->first), true);
    return true;
  }
  // A quick command can be reaped in the same round as its attacher, whose report is then still to be read.
  for (const auto& id : ids())
    if (const auto parsed = Uuid::parse(id); parsed) read_report(*parsed, false);
  const auto found =
      std::find_if(execs_.begin(), execs_.end(), [pid](const auto& entry) { return entry.second.pid == pid; });
  if (found == execs_.end()) return false;
  const Uuid id = found->first;
  finish(id, code_of(status));
  return true;
}

void ExecTable::finish(const Uuid& id, int code) {
  if (const auto found = execs_.find(id); found != execs_.end()) {
    cut_lifeline(found->second, std::to_string(code) + "\n");
    execs_.erase(found);
  }
  // The file is for a daemon that is away; it removes the file when it has the result.
  (void)replace_file(paths_.exec_result(container_, id), std::to_string(code) + "\n");
  finished_(id, code);
}

void ExecTable::give_up() {
  drop_deferred();
  for (const auto& id : ids())
    if (const auto parsed = Uuid::parse(id); parsed) {
      read_report(*parsed, true);
      if (execs_.contains(*parsed)) finish(*parsed, kSignalBase + SIGKILL);
    }
}

}  // namespace berth::supervisor
