#include "daemon/bus/event_loop.hpp"

#include <sys/eventfd.h>

#include <cerrno>
#include <csignal>
#include <exception>
#include <string>
#include <utility>

#include "base/log.hpp"

namespace berth::bus {
namespace {

int dispatch_io(sd_event_source*, int, std::uint32_t events, void* userdata) noexcept {
  const auto callback = static_cast<EventCallback*>(userdata)->shared_from_this();
  run_guarded("an event", [&] { callback->call(events); });
  return 0;
}

int dispatch_time(sd_event_source*, std::uint64_t, void* userdata) noexcept {
  const auto callback = static_cast<EventCallback*>(userdata)->shared_from_this();
  run_guarded("a timer", [&] { callback->call(0); });
  return 0;
}

int dispatch_signal(sd_event_source*, const signalfd_siginfo*, void* userdata) noexcept {
  const auto callback = static_cast<EventCallback*>(userdata)->shared_from_this();
  run_guarded("a signal", [&] { callback->call(0); });
  return 0;
}

}  // namespace

void run_guarded(const char* what, const std::function<void()>& job) noexcept {
  try {
    job();
  } catch (const std::exception& caught) {
    log::error("An exception left the handler of " + std::string(what) + ": " + caught.what());
  } catch (...) {
    log::error("An exception of unknown type left the handler of " + std::string(what));
  }
}

Result<std::unique_ptr<EventLoop>> EventLoop::create() {
  sd_event* event = nullptr;
  if (const int r = sd_event_new(&event); r < 0) return system_error("cannot make an event loop", -r);
  UniqueFd wake{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  if (!wake) {
    const int saved = errno;
    sd_event_unref(event);
    return system_error("cannot make an eventfd", saved);
  }
  std::unique_ptr<EventLoop> loop{new EventLoop(event, std::move(wake))};
  BERTH_TRY(loop->wake_source_, loop->watch(loop->wake_.get(), EPOLLIN, [raw = loop.get()](std::uint32_t) { raw->run_posted(); }));
  return loop;
}

EventLoop::~EventLoop() { close(); }

int EventLoop::run() {
  while (!exit_code_)
    if (const int r = sd_event_run(event_.get(), UINT64_MAX); r < 0) {
      log::error("The event loop fails: " + system_error("sd_event_run", -r).message);
      return 1;
    }
  return *exit_code_;
}

void EventLoop::stop(int exit_code) {
  if (!exit_code_) exit_code_ = exit_code;
  (void)eventfd_write(wake_.get(), 1);  // a stop while the loop prepares to wait must end that wait
}

void EventLoop::run_once(std::chrono::microseconds limit) {
  (void)sd_event_run(event_.get(), static_cast<std::uint64_t>(limit.count()));
}

bool EventLoop::post(std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    posted_.push_back(std::move(job));
  }
  (void)eventfd_write(wake_.get(), 1);
  return true;
}

void EventLoop::close() {
  std::vector<std::function<void()>> dropped;  // their captures may post: destroyed without the lock
  const std::lock_guard lock(mutex_);
  closed_ = true;
  dropped.swap(posted_);
}

void EventLoop::run_posted() {
  eventfd_t count = 0;
  (void)eventfd_read(wake_.get(), &count);
  std::vector<std::function<void()>> jobs;
  {
    const std::lock_guard lock(mutex_);
    jobs.swap(posted_);
  }
  for (const auto& job : jobs) run_guarded("a posted job", job);
}

Result<EventSource> EventLoop::after(std::chrono::microseconds delay, std::function<void()> callback) {
  EventSource made;
  made.callback_ = std::make_shared<EventCallback>();
  made.callback_->call = [call = std::move(callback)](std::uint32_t) { call(); };
  sd_event_source* raw = nullptr;
  const int r = sd_event_add_time_relative(event_.get(), &raw, CLOCK_MONOTONIC, static_cast<std::uint64_t>(delay.count()), 0,
                                           &dispatch_time, made.callback_.get());
  if (r < 0) return system_error("cannot arm a timer", -r);
  made.source_.reset(raw);
  return made;
}

Result<EventSource> EventLoop::watch(int fd, std::uint32_t events, std::function<void(std::uint32_t)> callback) {
  EventSource made;
  made.callback_ = std::make_shared<EventCallback>();
  made.callback_->call = std::move(callback);
  sd_event_source* raw = nullptr;
  const int r = sd_event_add_io(event_.get(), &raw, fd, events, &dispatch_io, made.callback_.get());
  if (r < 0) return system_error("cannot watch a descriptor", -r);
  made.source_.reset(raw);
  return made;
}

Result<EventSource> EventLoop::on_signal(int signal, std::function<void()> callback) {
  EventSource made;
  made.callback_ = std::make_shared<EventCallback>();
  made.callback_->call = [call = std::move(callback)](std::uint32_t) { call(); };
  sd_event_source* raw = nullptr;
  const int r = sd_event_add_signal(event_.get(), &raw, signal, &dispatch_signal, made.callback_.get());
  if (r < 0) return system_error("cannot take signal " + std::to_string(signal), -r);
  made.source_.reset(raw);
  return made;
}

}  // namespace berth::bus
