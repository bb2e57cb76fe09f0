#include "daemon/adapters/lxc/runtime.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/cgroup.hpp"
#include "base/log.hpp"
#include "base/packet.hpp"
#include "daemon/adapters/lxc/cgroup_wakeup.hpp"
#include "daemon/adapters/lxc/guest_networks.hpp"
#include "daemon/adapters/lxc/supervisor_link.hpp"

namespace berth::lxc {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
namespace type = supervisor::type;

constexpr auto kFirstSign = 30s;   ///< from the unit's start to the supervisor's question for its plan
constexpr auto kStartLimit = 420s; ///< all of a start; the supervisor gives up earlier, with a reason
constexpr auto kKillLimit = 30s;

Error not_running() { return Error{Code::FailedPrecondition, "The container is not running"}; }

Result<void> make_folder(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) return system_error("cannot make " + path, errno);
  return {};
}

}  // namespace

LxcRuntime::LxcRuntime(supervisor::RuntimePaths paths, ports::UnitManager& units, UniqueFd listener)
    : paths_(std::move(paths)), units_(units), listener_(std::move(listener)) {}

LxcRuntime::~LxcRuntime() {
  if (!thread_.joinable()) return;
  loop_->quit();
  thread_.join();
}

Result<void> LxcRuntime::attach(ports::RuntimeEvents events) {
  events_ = std::move(events);
  BERTH_CHECK(make_folder(paths_.root, 0755));
  BERTH_CHECK(make_folder(paths_.instances(), 0700));
  BERTH_CHECK(make_folder(paths_.units(), 0700));
  if (!listener_) {
    BERTH_TRY(listener_, listen_packets(paths_.doorbell()));
  } else if (::fcntl(listener_.get(), F_SETFL, O_NONBLOCK) != 0) {  // a visitor may be gone before it is let in
    return system_error("cannot prepare the doorbell", errno);
  }
  BERTH_TRY(EventLoop loop, EventLoop::create());
  loop_ = std::make_shared<EventLoop>(std::move(loop));
  survey();
  BERTH_CHECK(loop_->watch(listener_.get(), [this] { accept_visitor(); }));
  thread_ = std::thread([this] {
    if (auto ran = loop_->run(); !ran) log::error("the container runtime's loop ended: " + ran.error().message);
  });
  return {};
}

void LxcRuntime::survey() {
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(paths_.units(), failed)) {
    const std::string unit = entry.path().filename();
    const auto uuid = Uuid::parse(fs::read_symlink(entry.path(), failed).filename().string());
    if (!uuid || adopt(*uuid, unit)) continue;
    // Its supervisor was killed while nobody watched: what it left behind is ours to remove.
    loop_->post([this, id = *uuid, unit] {
      {
        const std::scoped_lock lock(mutex_);
        running_[id].unit = unit;
      }
      supervisor_gone(id, EventLoop::Clock::now() + 2s);
    });
  }
  for (const auto& entry : fs::directory_iterator(paths_.instances(), failed))
    if (const auto uuid = Uuid::parse(entry.path().filename().string()); uuid)
      loop_->post([this, id = *uuid] { deliver_execs(id); });
}

/// Starts to watch a supervisor. Before the thread runs, or on it.
Result<void> LxcRuntime::adopt(const Uuid& uuid, const std::string& unit) {
  BERTH_TRY(Watch watching, watch(paths_.control(uuid)));
  Running running{.init = watching.state.pid, .protocol = watching.state.protocol, .unit = unit};
  if (running.init > 0) {
    BERTH_TRY(running.cgroup, GuestCgroup::of(running.init));
    running.frozen = running.cgroup.frozen();
  }
  running.watch = std::make_shared<UniqueFd>(std::move(watching.socket));
  const int fd = running.watch->get();
  {
    const std::scoped_lock lock(mutex_);
    running_[uuid] = std::move(running);
  }
  return loop_->watch(fd, [this, uuid] { supervisor_speaks(uuid); });
}

Result<LxcRuntime::Running> LxcRuntime::find(const Uuid& uuid) {
  const std::scoped_lock lock(mutex_);
  const auto found = running_.find(uuid);
  if (found == running_.end() || found->second.init == 0) return not_running();
  return found->second;
}

Result<void> LxcRuntime::start(const Uuid& uuid, const ProjectName& project, const InstanceName& name) {
  const std::string unit = units_.unit_name(project, name);
  {
    const std::scoped_lock lock(mutex_);
    if (running_.contains(uuid)) return Error{Code::FailedPrecondition, "The container is already running"};
    if (!starting_.emplace(uuid, Starting{.unit = unit}).second)
      return Error{Code::Busy, "The container is already running a start operation"};
  }
  const CgroupWakeup wakeup;
  const auto started = units_.start(unit, uuid);
  std::unique_lock lock(mutex_);
  auto& mine = starting_.at(uuid);
  const auto begun = std::chrono::steady_clock::now();
  if (!started && !mine.outcome && !mine.prepared) mine.outcome = started;
  (void)changed_.wait_until(lock, begun + kFirstSign, [&mine] { return mine.prepared || mine.outcome; });
  if (mine.prepared) (void)changed_.wait_until(lock, begun + kStartLimit, [&mine] { return mine.outcome.has_value(); });
  Result<void> outcome = mine.outcome ? *std::move(mine.outcome)
                                      : Error{Code::Unavailable, "the supervisor of " + unit + " does not answer"};
  const bool given_up = !mine.outcome;
  starting_.erase(uuid);
  lock.unlock();
  if (given_up) (void)units_.kill(unit, uuid);
  return outcome;
}

Result<void> LxcRuntime::wait_ended(const Uuid& uuid, std::optional<std::chrono::seconds> timeout,
                                    const std::function<bool()>& cancelled) {
  constexpr auto kGlance = 200ms;  // how often a cancellation is looked for
  const auto end = std::chrono::steady_clock::now() + timeout.value_or(0s);
  std::unique_lock lock(mutex_);
  const auto ended = [this, &uuid] { return !running_.contains(uuid); };
  for (;;) {
    auto until = std::chrono::steady_clock::now() + kGlance;
    if (timeout && end < until) until = end;
    if (changed_.wait_until(lock, until, ended)) return {};
    if (cancelled && cancelled()) return Error{Code::Cancelled, "waiting for the container's end was cancelled"};
    if (timeout && std::chrono::steady_clock::now() >= end)
      return Error{Code::FailedPrecondition, "The container did not stop in " + std::to_string(timeout->count()) + " seconds"};
  }
}

Result<void> LxcRuntime::shutdown(const Uuid& uuid, std::optional<std::chrono::seconds> timeout,
                                  const std::function<bool()>& cancelled) {
  BERTH_TRY(const Running running, find(uuid));
  auto asked = ask(paths_.control(uuid), {.type = std::string(type::kShutdown)});
  if (!asked && asked.error().code != Code::Unavailable) return std::move(asked).error();
  return wait_ended(uuid, timeout, cancelled);
}

Result<void> LxcRuntime::kill(const Uuid& uuid) {
  std::string unit;
  {
    const std::scoped_lock lock(mutex_);
    const auto found = running_.find(uuid);
    const auto starting = starting_.find(uuid);
    if (found == running_.end() && starting == starting_.end()) return not_running();
    unit = found != running_.end() ? found->second.unit : starting->second.unit;
  }
  constexpr auto kPolite = 10s;
  const bool asked = ask(paths_.control(uuid), {.type = std::string(type::kKill)}).has_value();
  if (asked && wait_ended(uuid, kPolite, {})) return {};
  BERTH_CHECK(units_.kill(unit, uuid));
  return wait_ended(uuid, kKillLimit, {});
}

Result<void> LxcRuntime::set_frozen(const Uuid& uuid, bool frozen) {
  BERTH_TRY(const Running running, find(uuid));
  BERTH_CHECK(running.cgroup.set_frozen(frozen));
  const std::scoped_lock lock(mutex_);
  if (const auto found = running_.find(uuid); found != running_.end()) found->second.frozen = frozen;
  return {};
}

Result<void> LxcRuntime::freeze(const Uuid& uuid) { return set_frozen(uuid, true); }
Result<void> LxcRuntime::unfreeze(const Uuid& uuid) { return set_frozen(uuid, false); }

InstanceStatus LxcRuntime::status(const Uuid& uuid) {
  const std::scoped_lock lock(mutex_);
  const auto found = running_.find(uuid);
  if (found != running_.end() && found->second.init != 0)
    return found->second.frozen ? InstanceStatus::Frozen : InstanceStatus::Running;
  return starting_.contains(uuid) ? InstanceStatus::Starting : InstanceStatus::Stopped;
}

std::int32_t LxcRuntime::init_pid(const Uuid& uuid) {
  const std::scoped_lock lock(mutex_);
  const auto found = running_.find(uuid);
  return found != running_.end() ? found->second.init : 0;
}

Result<void> LxcRuntime::apply_limits(const Uuid& uuid, const std::vector<std::pair<std::string, std::string>>& files) {
  BERTH_TRY(const Running running, find(uuid));
  for (const auto& [file, value] : files) BERTH_CHECK(running.cgroup.apply(file, value));
  return {};
}

Result<ports::RuntimeState> LxcRuntime::state(const Uuid& uuid) {
  ports::RuntimeState state;
  state.status = status(uuid);
  const auto running = find(uuid);
  if (!running) return state;
  state.init_pid = running->init;
  running->cgroup.read_usage(state);
  return state;
}

Result<std::map<std::string, ports::NetworkInterface>> LxcRuntime::networks(const Uuid& uuid) {
  BERTH_TRY(const Running running, find(uuid));
  return guest_networks(running.init);
}

Result<Uuid> LxcRuntime::instance_of(std::int32_t pid) {
  BERTH_TRY(const std::vector<CgroupPlace> places, cgroups_of(pid));
  for (const auto& place : places) {
    const auto uuid = Uuid::parse(payload_name(place.path));
    if (!uuid) continue;
    const std::scoped_lock lock(mutex_);
    if (running_.contains(*uuid)) return *uuid;
  }
  return Error{Code::NotFound, "process " + std::to_string(pid) + " belongs to no container"};
}

std::optional<ExitReport> LxcRuntime::take_exit_file(const Uuid& uuid) {
  const UniqueFd file(::open(paths_.exit_file(uuid).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return std::nullopt;
  const auto text = read_text(file.get());
  const auto report = text ? supervisor::decode_exit(*text) : Result<ExitReport>(Error{Code::Internal, ""});
  (void)::unlink(paths_.exit_file(uuid).c_str());
  if (!report) return std::nullopt;
  return *report;
}

/// Removes what no longer serves anybody of a container that has ended; its folder stays while exec results wait in it.
void LxcRuntime::tidy(const Uuid& uuid) {
  (void)::unlink((paths_.instance(uuid) + "/lock").c_str());
  (void)::rmdir(paths_.execs(uuid).c_str());
  (void)::rmdir(paths_.instance(uuid).c_str());
}

Result<std::optional<ExitReport>> LxcRuntime::last_exit(const Uuid& uuid) {
  {
    const std::scoped_lock lock(mutex_);
    if (running_.contains(uuid)) return std::optional<ExitReport>{};
  }
  auto report = take_exit_file(uuid);
  if (report) tidy(uuid);
  return report;
}

}  // namespace berth::lxc
