// What supervisors say on their own: LxcRuntime's part on the loop thread.

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>

#include "base/cgroup.hpp"
#include "base/packet.hpp"
#include "daemon/adapters/lxc/runtime.hpp"
#include "daemon/adapters/lxc/supervisor_link.hpp"

namespace berth::lxc {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
namespace type = supervisor::type;

constexpr std::size_t kMaxVisitors = 1024;

}  // namespace

void LxcRuntime::accept_visitor() {
  auto peer = accept_packets(listener_.get());
  if (!peer || !*peer || visitors_.size() >= kMaxVisitors) return;
  const std::uint64_t id = ++last_visitor_;
  const int fd = (*peer)->get();
  visitors_[id].socket = std::move(**peer);
  if (!loop_->watch(fd, [this, id] { visitor_speaks(id); })) visitors_.erase(id);
}

void LxcRuntime::visitor_speaks(std::uint64_t id) {
  const auto found = visitors_.find(id);
  if (found == visitors_.end()) return;
  const auto packet = receive_packet(found->second.socket.get());
  if (!packet && packet.error().code == Code::Unavailable) return;  // nothing there after all
  if (!packet || !*packet) return visitor_leaves(id);
  const auto message = supervisor::decode((*packet)->text);
  if (!message) return visitor_leaves(id);
  if (message->type == type::kPrepare) return prepare(id, *message);
  if (message->type == type::kRunning) return told_running(id, *message);
  if (message->type == type::kEnded) return told_ended(id, *message);
}

void LxcRuntime::visitor_leaves(std::uint64_t id) {
  const auto found = visitors_.find(id);
  if (found == visitors_.end()) return;
  const Visitor visitor = std::move(found->second);
  loop_->forget(visitor.socket.get());
  visitors_.erase(found);
  if (visitor.settled || visitor.unit.empty()) return;
  settle(visitor.unit, Error{Code::Internal, "the supervisor of " + visitor.unit + " was killed"});
  if (visitor.uuid) {  // it may have left a cgroup
    {
      const std::scoped_lock lock(mutex_);
      if (!running_.contains(*visitor.uuid)) running_[*visitor.uuid] = Running{.unit = visitor.unit, .starting = true};
    }
    supervisor_gone(*visitor.uuid, EventLoop::Clock::now() + 2s);
  }
}

void LxcRuntime::prepare(std::uint64_t id, const supervisor::Message& message) {
  auto& visitor = visitors_.at(id);
  visitor.unit = message.unit;
  {
    const std::scoped_lock lock(mutex_);
    for (auto& [uuid, starting] : starting_)
      if (starting.unit == message.unit) starting.prepared = true;
  }
  changed_.notify_all();
  // The reply may come late, from any thread, after this object is gone.
  const auto reply = [weak = std::weak_ptr(loop_), this, id](Result<StartPlan> plan) {
    const auto loop = weak.lock();
    if (!loop) return;
    loop->post([this, id, shared = std::make_shared<Result<StartPlan>>(std::move(plan))] { send_plan(id, std::move(*shared)); });
  };
  if (!events_.on_prepare) return reply(Error{Code::Unavailable, "berthd gives out no plans"});
  events_.on_prepare(message.unit, message.invocation, reply);
}

void LxcRuntime::send_plan(std::uint64_t id, Result<StartPlan> plan) {
  const auto found = visitors_.find(id);
  if (found == visitors_.end()) return;
  Visitor& visitor = found->second;
  if (!plan) {
    settle(visitor.unit, plan.error());
    visitor.settled = true;
    (void)send_packet(visitor.socket.get(), supervisor::encode(supervisor::error_message(plan.error())));
    return;
  }
  visitor.uuid = plan->uuid;
  (void)take_exit_file(plan->uuid);  // a word on an earlier run would be taken for this one's
  const auto text = make_sealed_text("berth-plan", supervisor::encode_plan(*plan));
  if (!text) return settle(visitor.unit, text.error());
  const int fd = text->get();
  (void)send_packet(visitor.socket.get(), supervisor::encode({.type = std::string(type::kPlan)}), std::span(&fd, 1));
}

void LxcRuntime::told_running(std::uint64_t id, const supervisor::Message& message) {
  auto& visitor = visitors_.at(id);
  visitor.settled = true;
  const auto uuid = Uuid::parse(message.id);
  if (!uuid) return;
  const auto adopted = adopt(*uuid, visitor.unit);
  // A container that has ended within this moment was started all the same; its report follows.
  if (!adopted) {
    const std::scoped_lock lock(mutex_);
    running_[*uuid].unit = visitor.unit;
  }
  if (events_.on_started) events_.on_started(*uuid);
  settle(visitor.unit, {});
  if (!adopted) supervisor_gone(*uuid, EventLoop::Clock::now() + 2s);
}

void LxcRuntime::told_ended(std::uint64_t id, const supervisor::Message& message) {
  auto& visitor = visitors_.at(id);
  const bool first_word = !visitor.unit.empty() && !visitor.settled;
  visitor.settled = true;
  const auto uuid = Uuid::parse(message.id);
  if (!first_word) return;  // the watch tells the end of what has been running
  if (!uuid) return settle(visitor.unit, Error{Code::Busy, message.message});
  const auto report = take_exit_file(*uuid);
  tidy(*uuid);
  const bool failed = !report || report->reason == ExitReport::Reason::StartFailed;
  const std::string text = report ? report->message : message.message;
  settle(visitor.unit, failed ? Result<void>(Error{Code::FailedPrecondition, text}) : Result<void>());
  if (report && events_.on_exit) events_.on_exit(*uuid, *report);
}

/// Tells whoever waits in start() for `unit`.
void LxcRuntime::settle(const std::string& unit, Result<void> outcome) {
  {
    const std::scoped_lock lock(mutex_);
    for (auto& [uuid, starting] : starting_)
      if (starting.unit == unit && !starting.outcome) starting.outcome = outcome;
  }
  changed_.notify_all();
}

void LxcRuntime::supervisor_speaks(const Uuid& uuid) {
  std::shared_ptr<UniqueFd> socket;
  {
    const std::scoped_lock lock(mutex_);
    if (const auto found = running_.find(uuid); found != running_.end()) socket = found->second.watch;
  }
  if (!socket) return;
  const auto packet = receive_packet(socket->get());
  if (!packet && packet.error().code == Code::Unavailable) return;
  if (packet && *packet) {
    const auto message = supervisor::decode((*packet)->text);
    if (!message) return;
    if (message->type == type::kState) return told_state(uuid, *message);
    if (message->type != type::kExecFinished) return;
    if (const auto exec = Uuid::parse(message->id); exec) deliver_exec(uuid, *exec);
    return;
  }
  loop_->forget(socket->get());
  const UniqueFd closed = std::move(*socket);
  supervisor_gone(uuid, EventLoop::Clock::now() + 2s);
}

/// A container that was starting when this daemon found it runs now.
void LxcRuntime::told_state(const Uuid& uuid, const supervisor::Message& message) {
  auto cgroup = message.pid > 0 ? GuestCgroup::of(message.pid) : Error{Code::NotFound, ""};
  if (!cgroup) return;
  const std::scoped_lock lock(mutex_);
  const auto found = running_.find(uuid);
  if (found == running_.end()) return;
  found->second.init = message.pid;
  found->second.protocol = message.protocol;
  found->second.cgroup = *std::move(cgroup);
}

/// The supervisor has ended: in peace, with an exit file, or killed, and then its leftovers are removed first.
void LxcRuntime::supervisor_gone(const Uuid& uuid, EventLoop::Clock::time_point deadline) {
  std::string parent;
  std::string unit;
  bool starting = false;
  {
    const std::scoped_lock lock(mutex_);
    const auto found = running_.find(uuid);
    if (found == running_.end()) return;
    starting = found->second.starting;
    unit = found->second.unit;
    parent = found->second.cgroup.parent();
  }
  if (parent.empty()) parent = supervisor::kCgroupParent;
  auto report = take_exit_file(uuid);
  if (!report) {
    if (!remove_container_cgroups(parent, uuid.str(), true) && EventLoop::Clock::now() < deadline) {
      (void)loop_->at(EventLoop::Clock::now() + 5ms, [this, uuid, deadline] { supervisor_gone(uuid, deadline); });
      return;
    }
    (void)::unlink(paths_.unit(unit).c_str());
    (void)::unlink(paths_.control(uuid).c_str());
    report = ExitReport{starting ? ExitReport::Reason::StartFailed : ExitReport::Reason::Killed,
                        "the container's supervisor was killed",
                        std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now())};
  }
  deliver_execs(uuid);
  tidy(uuid);
  {
    const std::scoped_lock lock(mutex_);
    running_.erase(uuid);
  }
  if (events_.on_exit) events_.on_exit(uuid, *report);
  changed_.notify_all();
}

void LxcRuntime::deliver_exec(const Uuid& uuid, const Uuid& exec) {
  const std::string file = paths_.exec_result(uuid, exec);
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return;  // told before
  const auto text = read_text(fd.get());
  int code = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), code).ec != std::errc{}) return;
  if (events_.on_exec_finished) events_.on_exec_finished(exec, code);
  (void)::unlink(file.c_str());
}

void LxcRuntime::deliver_execs(const Uuid& uuid) {
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(paths_.execs(uuid), failed))
    if (const auto exec = Uuid::parse(entry.path().filename().string()); exec) deliver_exec(uuid, *exec);
}

}  // namespace berth::lxc
