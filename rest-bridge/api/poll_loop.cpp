#include "rest-bridge/api/poll_loop.hpp"

#include <poll.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <utility>
#include <vector>

namespace berth::rest {

using Clock = std::chrono::steady_clock;

struct PollLoop::State {
  struct Source {
    int fd = -1;  // -1: a timer
    short events = 0;
    Clock::time_point due;
    std::shared_ptr<Callback> callback;
  };
  std::map<std::uint64_t, Source> sources;
  std::deque<Callback> posted;
  std::uint64_t next_id = 1;

  class Registration final : public Watch {
   public:
    Registration(std::weak_ptr<State> state, std::uint64_t id) : state_(std::move(state)), id_(id) {}
    ~Registration() override {
      if (const auto state = state_.lock()) state->sources.erase(id_);
    }

   private:
    std::weak_ptr<State> state_;
    std::uint64_t id_;
  };

  std::uint64_t add(Source source) {
    const auto id = next_id++;
    sources.emplace(id, std::move(source));
    return id;
  }

  /// Milliseconds until the next timer, rounded up; -1 when there is none.
  int timeout() const {
    if (!posted.empty()) return 0;
    auto next = Clock::time_point::max();
    for (const auto& [id, source] : sources)
      if (source.fd < 0) next = std::min(next, source.due);
    if (next == Clock::time_point::max()) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
  }
};

PollLoop::PollLoop() : state_(std::make_shared<State>()) {}
PollLoop::~PollLoop() = default;

std::unique_ptr<Loop::Watch> PollLoop::watch(int fd, short events, Callback ready) {
  const auto id = state_->add({.fd = fd, .events = events, .due = {}, .callback = std::make_shared<Callback>(std::move(ready))});
  return std::make_unique<State::Registration>(state_, id);
}

std::unique_ptr<Loop::Watch> PollLoop::after(std::chrono::microseconds delay, Callback fire) {
  const auto id =
      state_->add({.due = Clock::now() + delay, .callback = std::make_shared<Callback>(std::move(fire))});
  return std::make_unique<State::Registration>(state_, id);
}

void PollLoop::post(Callback work) { state_->posted.push_back(std::move(work)); }

void PollLoop::run_until(const std::function<bool()>& done) {
  while (!done()) {
    std::vector<pollfd> fds;
    std::vector<std::uint64_t> ids;
    for (const auto& [id, source] : state_->sources) {
      if (source.fd < 0) continue;
      fds.push_back({.fd = source.fd, .events = source.events, .revents = 0});
      ids.push_back(id);
    }
    const int ready = ::poll(fds.data(), fds.size(), state_->timeout());

    auto posted = std::exchange(state_->posted, {});
    for (auto& work : posted) work();

    const auto now = Clock::now();
    std::vector<std::uint64_t> due;
    for (const auto& [id, source] : state_->sources)
      if (source.fd < 0 && source.due <= now) due.push_back(id);
    if (ready > 0)
      for (std::size_t i = 0; i < fds.size(); ++i)
        if (fds[i].revents != 0) due.push_back(ids[i]);
    for (const auto id : due) {
      const auto found = state_->sources.find(id);  // an earlier callback may have ended it
      if (found == state_->sources.end()) continue;
      const auto callback = found->second.callback;
      if (found->second.fd < 0) state_->sources.erase(found);
      (*callback)();
    }
  }
}

}  // namespace berth::rest
