#include "base/event_loop.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>

namespace berth {

Result<EventLoop> EventLoop::create() {
  EventLoop loop;
  loop.shared_ = std::make_unique<Shared>();
  loop.epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  loop.shared_->wake.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!loop.epoll_ || !loop.shared_->wake) return system_error("cannot make an event loop", errno);
  const int wake = loop.shared_->wake.get();
  BERTH_CHECK(loop.watch(wake, [wake] {
    std::uint64_t count = 0;
    (void)!::read(wake, &count, sizeof count);
  }));
  return loop;
}

Result<void> EventLoop::watch(int fd, Callback ready) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP;
  event.data.fd = fd;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return system_error("cannot watch a descriptor", errno);
  watches_[fd] = std::make_shared<Callback>(std::move(ready));
  return {};
}

void EventLoop::forget(int fd) {
  if (watches_.erase(fd) > 0) (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

std::uint64_t EventLoop::at(Clock::time_point when, Callback fire) {
  timers_.emplace(when, std::pair{++last_timer_, std::move(fire)});
  return last_timer_;
}

void EventLoop::cancel(std::uint64_t timer) {
  std::erase_if(timers_, [timer](const auto& entry) { return entry.second.first == timer; });
}

void EventLoop::post(Callback work) {
  const std::scoped_lock lock(shared_->mutex);
  shared_->posted.push_back(std::move(work));
  const std::uint64_t one = 1;
  (void)!::write(shared_->wake.get(), &one, sizeof one);
}

void EventLoop::quit() {
  const std::scoped_lock lock(shared_->mutex);
  shared_->quit = true;
  const std::uint64_t one = 1;
  (void)!::write(shared_->wake.get(), &one, sizeof one);
}

int EventLoop::next_timeout() const {
  if (timers_.empty()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(timers_.begin()->first - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, std::numeric_limits<int>::max()));
}

void EventLoop::fire_timers() {
  while (!timers_.empty() && timers_.begin()->first <= Clock::now()) {
    const Callback fire = std::move(timers_.begin()->second.second);
    timers_.erase(timers_.begin());
    fire();
  }
}

bool EventLoop::run_posted() {
  std::vector<Callback> work;
  {
    const std::scoped_lock lock(shared_->mutex);
    work.swap(shared_->posted);
    if (shared_->quit && work.empty()) return false;
  }
  for (const auto& item : work) item();
  return true;
}

Result<void> EventLoop::run() {
  std::array<epoll_event, 32> events{};
  while (run_posted()) {
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), next_timeout());
    if (count < 0 && errno != EINTR) return system_error("cannot wait for events", errno);
    for (int i = 0; i < count; ++i) {
      const auto found = watches_.find(events.at(static_cast<std::size_t>(i)).data.fd);
      if (found == watches_.end()) continue;  // forgotten by an earlier callback of this round
      const auto callback = found->second;    // survives a forget() of itself
      (*callback)();
    }
    fire_timers();
  }
  return {};
}

}  // namespace berth
