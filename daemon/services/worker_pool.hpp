#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace berth::services {

/// Threads for blocking work. Jobs run plain code: no bus call, no bus object. Any thread may submit.
/// `stop()`, and so the destructor, lets running jobs end and drops those that have not begun.
class WorkerPool {
 public:
  using Job = std::function<void()>;

  /// `threads` serve quick requests; a job that may take long (operation bodies) goes to `submit_long`, which gets a thread
  /// of its own up to `long_limit` at once, and queues beyond: a slow import never delays a list.
  WorkerPool(unsigned threads, unsigned long_limit);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  void submit(Job job);
  void submit_long(Job job);
  /// Hands the job to submit() once `delay` is over; jobs that are not due when the pool stops are dropped.
  void submit_after(std::chrono::milliseconds delay, Job job);

  /// Waits for the jobs that run, and takes none from now on. Not from a job. Idempotent.
  void stop();

 private:
  using Time = std::chrono::steady_clock::time_point;

  void serve_quick();
  void serve_long();
  void serve_timers();

  std::mutex mutex_;
  std::condition_variable quick_changed_;
  std::condition_variable long_changed_;
  std::condition_variable timers_changed_;
  std::deque<Job> quick_;
  std::deque<Job> long_;
  std::multimap<Time, Job> timers_;
  const unsigned long_limit_;
  unsigned long_threads_ = 0;
  unsigned long_idle_ = 0;
  bool timer_thread_ = false;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace berth::services
