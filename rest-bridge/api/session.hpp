#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace berth::rest {

/// The streams of one exec or console, from the moment the daemon made them until they are connected.
///
/// In one process (the command line): take the descriptors with `take()`, then call `begin()` once; `signal()` and
/// `resize()` act on the running command. Over HTTP the bridge finds a session by a secret, and begins it when the
/// last numbered stream is connected. Used on the loop's thread only.
class ExecSession {
 public:
  using Done = std::function<void(Result<void>)>;
  virtual ~ExecSession() = default;

  /// UUID of the operation ("websocket" class) that stands for the exec.
  virtual const std::string& operation_id() const = 0;
  /// True when stream "0" is a terminal in both directions; false for three pipes "0" (write), "1" and "2" (read).
  virtual bool interactive() const = 0;
  /// Gives a numbered stream away; -1 when there is none of that name, or it was taken before. The caller closes it:
  /// closing "0" is the end of the command's input (pipes) or a hang-up (terminal).
  virtual UniqueFd take(const std::string& name) = 0;
  /// Whether every numbered stream has been taken.
  virtual bool complete() const = 0;
  /// Runs the command. Call once, within 30 seconds, when the streams are taken. A console needs none: success.
  virtual void begin(Done done) = 0;
  /// Sends a signal to the command.
  virtual void signal(int number, Done done) = 0;
  /// Sets the terminal's size; nothing happens for pipes.
  virtual void resize(unsigned width, unsigned height) = 0;
};

/// A running subscription to the daemon's events, filtered as it was asked for. Ends when it is destroyed.
class EventStream {
 public:
  virtual ~EventStream() = default;
  /// Sets who is called, on the loop's thread, with each event as JSON text in the API's form. Events that arrived
  /// before are delivered at once, in order. The subscription is dropped when `ended` is called (the daemon went away
  /// or we read too slowly).
  virtual void on_event(std::function<void(std::string_view)> event, std::function<void()> ended) = 0;
};

}  // namespace berth::rest
