#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/unique_fd.hpp"

namespace berth::rest {

/// The streams of one exec or console, from the moment the daemon made them until they are connected.
///
/// In one process (the command line): take the descriptors with `take()`, then `Client::begin()` once;
/// `Client::signal()` and `resize()` act on the running command. Over HTTP the bridge finds a session by a secret, and
/// begins it when the last numbered stream is connected. Used on the loop's thread only.
class ExecSession {
 public:
  /// `streams`: "0" alone is a terminal in both directions; "0" (write), "1" and "2" (read) are pipes.
  /// `deferred`: the command waits for Operation.Begin (a console does not).
  ExecSession(std::string operation_id, std::map<std::string, UniqueFd> streams, bool deferred);
  virtual ~ExecSession() = default;
  ExecSession(const ExecSession&) = delete;
  ExecSession& operator=(const ExecSession&) = delete;

  /// UUID of the operation ("websocket" class) that stands for the exec.
  const std::string& operation_id() const noexcept { return operation_id_; }
  bool interactive() const noexcept { return interactive_; }
  bool deferred() const noexcept { return deferred_; }
  /// The names of its streams, "control" not among them.
  const std::map<std::string, UniqueFd>& streams() const noexcept { return streams_; }
  /// Gives a numbered stream away; -1 when there is none of that name, or it was taken before. The caller closes it:
  /// closing "0" is the end of the command's input (pipes).
  UniqueFd take(const std::string& name);
  /// Whether every numbered stream has been taken.
  bool complete() const;
  /// True the first time only: whoever gets true runs the command.
  bool claim_begin();
  /// Sets the terminal's size; nothing happens for pipes.
  void resize(unsigned width, unsigned height);
  /// Closes what the session itself still holds of the terminal, so that the command sees a hang-up.
  void hang_up();
  /// The right to end the command, which outlives whoever gave it: closing it kills the command, a byte into it lets the
  /// command go, and it brings the code when the command has ended (`lifeline` of Instance.Exec). It is closed with the
  /// session unless it is taken; -1 when there is none.
  void hold(UniqueFd lifeline) { lifeline_ = std::move(lifeline); }
  UniqueFd take_lifeline() { return std::move(lifeline_); }

 private:
  std::string operation_id_;
  std::map<std::string, UniqueFd> streams_;
  UniqueFd terminal_;
  UniqueFd lifeline_;
  bool interactive_;
  bool deferred_;
  bool begun_ = false;
};

/// A running subscription to the daemon's events, filtered as it was asked for. Ends when it is destroyed.
class EventStream {
 public:
  virtual ~EventStream() = default;
  /// Sets who is called, on the loop's thread, with each event as JSON text in the API's form. Events that arrived
  /// before are delivered at once, in order. `ended` is called when the subscription is over: the daemon went away, or
  /// too many events waited for a listener.
  virtual void on_event(std::function<void(std::string_view)> event, std::function<void()> ended) = 0;
};

}  // namespace berth::rest
