#include "daemon/services/worker_pool.hpp"

#include <utility>

namespace berth::services {

WorkerPool::WorkerPool(unsigned threads, unsigned long_limit) : long_limit_(long_limit) {
  const std::lock_guard lock(mutex_);
  for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { serve_quick(); });
}

WorkerPool::~WorkerPool() { stop(); }

void WorkerPool::submit(Job job) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return;
  quick_.push_back(std::move(job));
  quick_changed_.notify_one();
}

void WorkerPool::submit_long(Job job) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return;
  long_.push_back(std::move(job));
  if (long_.size() > long_idle_ && long_threads_ < long_limit_) {
    ++long_threads_;
    threads_.emplace_back([this] { serve_long(); });
  }
  long_changed_.notify_one();
}

void WorkerPool::submit_after(std::chrono::milliseconds delay, Job job) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return;
  timers_.emplace(std::chrono::steady_clock::now() + delay, std::move(job));
  if (!timer_thread_) {
    timer_thread_ = true;
    threads_.emplace_back([this] { serve_timers(); });
  }
  timers_changed_.notify_one();
}

void WorkerPool::stop() {
  std::vector<std::thread> threads;
  {
    // Jobs own what they captured; that is let go outside the lock, since it may submit again.
    std::deque<Job> dropped_quick;
    std::deque<Job> dropped_long;
    std::multimap<Time, Job> dropped_timers;
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    threads.swap(threads_);
    dropped_quick.swap(quick_);
    dropped_long.swap(long_);
    dropped_timers.swap(timers_);
    quick_changed_.notify_all();
    long_changed_.notify_all();
    timers_changed_.notify_all();
  }
  for (auto& thread : threads) thread.join();
}

void WorkerPool::serve_quick() {
  std::unique_lock lock(mutex_);
  while (true) {
    quick_changed_.wait(lock, [this] { return stopping_ || !quick_.empty(); });
    if (stopping_) return;
    Job job = std::move(quick_.front());
    quick_.pop_front();
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
  }
}

void WorkerPool::serve_long() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++long_idle_;
    long_changed_.wait(lock, [this] { return stopping_ || !long_.empty(); });
    --long_idle_;
    if (stopping_) return;
    Job job = std::move(long_.front());
    long_.pop_front();
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
  }
}

void WorkerPool::serve_timers() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (timers_.empty()) {
      timers_changed_.wait(lock);
      continue;
    }
    const auto first = timers_.begin();
    if (first->first > std::chrono::steady_clock::now()) {
      timers_changed_.wait_until(lock, Time(first->first));
      continue;
    }
    quick_.push_back(std::move(first->second));
    timers_.erase(first);
    quick_changed_.notify_one();
  }
}

}  // namespace berth::services
