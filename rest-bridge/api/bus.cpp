#include "rest-bridge/api/bus.hpp"

#include <poll.h>
#include <sdbus-c++/sdbus-c++.h>
#include <time.h>

#include <cstdint>
#include <utility>

#include "base/log.hpp"

namespace berth::rest {
namespace {

std::uint64_t monotonic_microseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000U + static_cast<std::uint64_t>(now.tv_nsec) / 1'000U;
}

}  // namespace

struct Bus::State : std::enable_shared_from_this<State> {
  Loop& loop;
  std::unique_ptr<sdbus::IConnection> connection;
  std::unique_ptr<Loop::Watch> readable;
  std::unique_ptr<Loop::Watch> writable;
  std::unique_ptr<Loop::Watch> deadline;
  std::uint64_t deadline_at = UINT64_MAX;
  bool alive = true;
  bool dispatch_posted = false;
  std::function<void()> lost;

  State(Loop& driver, std::unique_ptr<sdbus::IConnection> opened) : loop(driver), connection(std::move(opened)) {}

  void start() {
    readable = loop.watch(connection->getEventLoopPollData().fd, POLLIN, [this] { dispatch(); });
    refresh();
  }

  void refresh() {
    if (!alive) return;
    const auto wants = connection->getEventLoopPollData();
    if ((wants.events & POLLOUT) == 0)
      writable.reset();
    else if (!writable)
      writable = loop.watch(wants.fd, POLLOUT, [this] { dispatch(); });
    if (wants.timeout_usec == deadline_at) return;
    deadline_at = wants.timeout_usec;
    if (wants.timeout_usec == UINT64_MAX) {
      deadline.reset();
      return;
    }
    const auto now = monotonic_microseconds();
    if (wants.timeout_usec <= now) {
      // Messages that were read already: handle them from the loop, not from inside whoever called us.
      deadline.reset();
      deadline_at = UINT64_MAX;
      post_dispatch();
      return;
    }
    deadline = loop.after(std::chrono::microseconds(wants.timeout_usec - now), [this] {
      deadline_at = UINT64_MAX;
      dispatch();
    });
  }

  void post_dispatch() {
    if (std::exchange(dispatch_posted, true)) return;
    loop.post([weak = weak_from_this()] {
      const auto self = weak.lock();
      if (!self) return;
      self->dispatch_posted = false;
      self->dispatch();
    });
  }

  void dispatch() {
    const auto keep = shared_from_this();
    if (!alive) return;
    try {
      while (connection->processPendingRequest()) {
      }
    } catch (const std::exception& failure) {
      alive = false;
      readable.reset();
      writable.reset();
      deadline.reset();
      log::warning(std::string("lost a bus connection: ") + failure.what());
      if (const auto call = std::exchange(lost, nullptr)) call();
      return;
    }
    refresh();
  }
};

Result<std::unique_ptr<Bus>> Bus::open(Loop& loop) {
  try {
    auto state = std::make_shared<State>(loop, sdbus::createSystemBusConnection());
    state->start();
    return std::unique_ptr<Bus>(new Bus(std::move(state)));
  } catch (const std::exception& failure) {
    return Error{Code::Unavailable, std::string("cannot connect to the system bus: ") + failure.what()};
  }
}

Bus::Bus(std::shared_ptr<State> state) : state_(std::move(state)) {}
Bus::~Bus() = default;
sdbus::IConnection& Bus::connection() { return *state_->connection; }
Loop& Bus::loop() { return state_->loop; }
void Bus::refresh() { state_->refresh(); }
bool Bus::alive() const { return state_->alive; }
void Bus::on_lost(std::function<void()> lost) { state_->lost = std::move(lost); }

}  // namespace berth::rest
