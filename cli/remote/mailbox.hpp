#pragma once

#include "base/unique_fd.hpp"
#include "rest-bridge/api/poll_loop.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace berth::cli {

/// Work that other threads leave for a loop's thread.
class Mailbox {
 public:
  explicit Mailbox(rest::PollLoop& loop);
  /// From any thread. `work` is called on the loop's thread while that runs its loop, in order.
  void post(std::function<void()> work);

 private:
  void deliver();
  UniqueFd bell_;
  std::mutex mutex_;
  std::vector<std::function<void()>> letters_;
  std::unique_ptr<rest::Loop::Watch> watch_;
};

}  // namespace berth::cli
