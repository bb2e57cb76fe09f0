#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace berth {

/// A small epoll loop for programs without a bus. Owned and run by one thread; only `post()` and `quit()` may be called
/// from others. A callback may add and remove watches, its own included.
class EventLoop {
 public:
  using Clock = std::chrono::steady_clock;
  using Callback = std::function<void()>;

  static Result<EventLoop> create();

  /// Calls `ready` when `fd` can be read or has hung up. The loop does not own `fd`; remove the watch before closing it.
  Result<void> watch(int fd, Callback ready);
  void forget(int fd);
  /// Calls `fire` once at `when`, unless cancelled.
  std::uint64_t at(Clock::time_point when, Callback fire);
  void cancel(std::uint64_t timer);
  /// Runs `work` on the loop's thread.
  void post(Callback work);
  void quit();
  /// Returns after `quit()`.
  Result<void> run();

 private:
  struct Shared {
    std::mutex mutex;
    std::vector<Callback> posted;
    bool quit = false;
    UniqueFd wake;
  };
  EventLoop() = default;
  int next_timeout() const;
  void fire_timers();
  bool run_posted();

  UniqueFd epoll_;
  std::map<int, std::shared_ptr<Callback>> watches_;
  std::multimap<Clock::time_point, std::pair<std::uint64_t, Callback>> timers_;
  std::uint64_t last_timer_ = 0;
  std::unique_ptr<Shared> shared_;
};

}  // namespace berth
