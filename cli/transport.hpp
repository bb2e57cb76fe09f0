#pragma once

#include "base/result.hpp"
#include "rest-bridge/api/message.hpp"
#include "rest-bridge/api/poll_loop.hpp"

#include <functional>
#include <memory>
#include <string>

namespace berth::cli {

/// A way to one server's API: the daemon of this machine by D-Bus in this process, or another server by HTTP. What it
/// gives is the same for both: answers, event streams, and the streams of commands as descriptors. Used on one thread,
/// the loop's.
class Transport {
 public:
  virtual ~Transport() = default;

  /// Makes one request and calls `done` with its answer while the loop runs. Failures to reach the server are answers,
  /// too (503 with the error envelope).
  virtual void handle(rest::Request request, std::function<void(rest::Response)> done) = 0;
  /// The same, running the loop until the answer is there.
  virtual rest::Response call(rest::Request request) = 0;
  /// Runs the command of a session whose streams were taken.
  virtual Result<void> begin(const std::shared_ptr<rest::ExecSession>& session) = 0;
  /// Sends a signal to the command of a session; nobody is told when that fails, since the command may have ended.
  virtual void signal(const std::shared_ptr<rest::ExecSession>& session, int number) = 0;
  virtual void resize(const std::shared_ptr<rest::ExecSession>& session, unsigned width, unsigned height) = 0;
  virtual rest::PollLoop& loop() = 0;
};

/// Errors: Unavailable without a system bus.
Result<std::unique_ptr<Transport>> local_transport();

}  // namespace berth::cli
