#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "base/helper_process.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace berth::adapters {

/// Helpers that work on for as long as their client likes. One thread waits for the ends of all of them; there is none
/// before the first. Any thread may call; the destructor ends what runs.
class HelperSessions {
 public:
  explicit HelperSessions(std::size_t most) : most_(most) {}
  ~HelperSessions();
  HelperSessions(const HelperSessions&) = delete;
  HelperSessions& operator=(const HelperSessions&) = delete;

  /// LimitsExceeded when no more may run.
  Result<void> check_room() const;
  /// Keeps a helper. `ended` is called once, on the thread of this object, when no process of it is left; it may call
  /// stop(), and nothing else here. Returns the session's number. Errors: LimitsExceeded, and then `ended` is not called.
  Result<std::uint64_t> keep(HelperProcess helper, std::function<void()> ended);
  /// Kills a session's helper; `ended` follows. Nothing happens for one that has ended. Does not block.
  void stop(std::uint64_t session);

 private:
  struct Session {
    HelperProcess helper;
    std::function<void()> ended;
  };
  void run();
  void wake();
  /// Waits until a helper has ended or something changed, and takes those that ended out.
  std::vector<Session> take_ended();

  const std::size_t most_;
  mutable std::mutex mutex_;
  std::map<std::uint64_t, Session> sessions_;
  std::uint64_t last_ = 0;
  bool stopping_ = false;
  UniqueFd wake_;
  std::thread thread_;
};

}  // namespace berth::adapters
