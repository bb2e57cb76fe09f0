#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace berth::services {

/// Threads for blocking work. Jobs run plain code: no bus call, no bus object. Any thread may submit.
/// The destructor lets running jobs end and drops those that have not begun.
class WorkerPool {
 public:
  /// `threads` serve quick requests; a job that may take long (operation bodies) goes to `submit_long`, which gets a thread
  /// of its own up to `long_limit` at once, and queues beyond: a slow import never delays a list.
  explicit WorkerPool(unsigned threads, unsigned long_limit);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  void submit(std::function<void()> job);
  void submit_long(std::function<void()> job);

 private:
  void serve(std::deque<std::function<void()>>& queue);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> quick_;
  std::deque<std::function<void()>> long_;
  unsigned long_limit_;
  unsigned long_idle_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace berth::services
