#pragma once

#include "base/unique_fd.hpp"

#include <functional>
#include <string_view>
#include <thread>

namespace berth::cli {

/// Carries bytes from one descriptor to another on a thread of its own, at the pace of the slower one; inside the
/// kernel where both allow it. Both ends may be anything; neither is made non-blocking, since others may share it.
class Pump {
 public:
  enum class AtStop {
    Leave,  ///< what was not read yet stays where it is
    Drain,  ///< what is there is still carried over
  };
  /// Sees each piece before it is carried; false ends the pump, and the piece is not carried.
  using Look = std::function<bool(std::string_view)>;

  /// Begins at once. `from` and `to` belong to the caller when they are given by number, and are closed at the end of
  /// the stream when they are given away: the other side then sees the end.
  Pump(int from, UniqueFd to, AtStop at_stop, Look look = {});
  Pump(UniqueFd from, int to, AtStop at_stop);
  /// Stops, and waits for the thread.
  ~Pump();
  Pump(const Pump&) = delete;
  Pump& operator=(const Pump&) = delete;

  /// Asks it to end, as AtStop says.
  void stop();
  /// Readable when the pump has ended.
  int ended_fd() const noexcept { return ended_.get(); }

 private:
  void start();
  void run();
  bool wait_readable();
  bool wait_writable();
  long move_some();
  long copy_some();

  UniqueFd own_from_;
  UniqueFd own_to_;
  int from_;
  int to_;
  Look look_;
  UniqueFd stop_;
  UniqueFd ended_;
  bool splice_;
  bool draining_ = false;
  bool drain_;
  std::thread thread_;
};

}  // namespace berth::cli
