#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace berth::rest {

/// What the API layer asks of whoever drives it: the bridge's io_context, or the command line's PollLoop. One thread.
class Loop {
 public:
  /// Something registered; it ends when this object dies. It must not be destroyed inside its own callback's frame
  /// after which the callback still touches it; destroying it and returning is fine.
  class Watch {
   public:
    virtual ~Watch() = default;
  };
  using Callback = std::function<void()>;

  virtual ~Loop() = default;
  /// Calls `ready` each time `events` (POLLIN, POLLOUT, ...) are true for `fd`, level-triggered. `fd` stays the caller's.
  virtual std::unique_ptr<Watch> watch(int fd, short events, Callback ready) = 0;
  /// Calls `fire` once, after `delay`.
  virtual std::unique_ptr<Watch> after(std::chrono::microseconds delay, Callback fire) = 0;
  /// Calls `work` soon, from the loop and never from inside this call.
  virtual void post(Callback work) = 0;
};

}  // namespace berth::rest
