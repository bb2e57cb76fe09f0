#pragma once

#include <systemd/sd-event.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace berth::bus {

/// What a source calls; a running call keeps it, so that a callback may destroy its own source.
struct EventCallback : std::enable_shared_from_this<EventCallback> {
  std::function<void(std::uint32_t events)> call;
};

/// One source of an event loop; its end of life is the end of the callback. Movable: the function it calls stays where it
/// is. Loop thread only.
class EventSource {
 public:
  EventSource() = default;
  explicit operator bool() const noexcept { return source_ != nullptr; }

 private:
  friend class EventLoop;
  struct Unref {
    void operator()(sd_event_source* source) const noexcept { sd_event_source_disable_unref(source); }
  };
  std::shared_ptr<EventCallback> callback_;  // declared first, destroyed last: the source goes before it
  std::unique_ptr<sd_event_source, Unref> source_;
};

/// The loop thread: it owns the bus connection and every bus object. Only post() may be called by other threads.
class EventLoop {
 public:
  static Result<std::unique_ptr<EventLoop>> create();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  ~EventLoop();

  /// Runs until stop(). The exit code that was given to it.
  int run();
  /// Ends run() after the callback that called it; the first exit code counts. sd_event_exit() would end the loop for good,
  /// and run_once() with it.
  void stop(int exit_code);
  /// One iteration, waiting at most `limit`; for shutdown, which goes on answering until the workers are done.
  void run_once(std::chrono::microseconds limit);

  /// Queues a job for the loop thread, in order. Any thread. False when the loop has been closed and will not run it.
  bool post(std::function<void()> job);
  /// No further job is taken; those that wait are dropped.
  void close();

  /// Calls `callback` once after `delay`.
  Result<EventSource> after(std::chrono::microseconds delay, std::function<void()> callback);
  /// Calls `callback` while `fd` has one of `events` (epoll's), EPOLLHUP and EPOLLERR always. The fd must outlive the source.
  Result<EventSource> watch(int fd, std::uint32_t events, std::function<void(std::uint32_t)> callback);
  /// Calls `callback` when the process gets `signal`, which every thread must have blocked.
  Result<EventSource> on_signal(int signal, std::function<void()> callback);

  sd_event* raw() noexcept { return event_.get(); }

 private:
  struct Unref {
    void operator()(sd_event* event) const noexcept { sd_event_unref(event); }
  };
  explicit EventLoop(sd_event* event, UniqueFd wake) : event_(event), wake_(std::move(wake)) {}
  void run_posted();

  std::unique_ptr<sd_event, Unref> event_;
  UniqueFd wake_;
  EventSource wake_source_;
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;
  bool closed_ = false;
  std::optional<int> exit_code_;
};

/// Runs `job`, which stands at an edge to C code or to the bus: an exception is logged, never passed on.
void run_guarded(const char* what, const std::function<void()>& job) noexcept;

}  // namespace berth::bus
