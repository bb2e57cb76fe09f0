#pragma once

#include <systemd/sd-bus.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/unique_fd.hpp"
#include "tests/bus/client.hpp"

namespace berth::bustest {

/// One question as polkit was asked it.
struct Question {
  std::string subject, bus_name;  ///< "system-bus-name" or "unix-process"
  std::uint32_t pid = 0;
  std::int32_t uid = -1;
  std::string action;
  std::map<std::string, std::string> details;
  std::uint32_t flags = 0;
};

/// An authority that owns polkit's name on the private bus and answers as the test wants. A thread of its own runs it.
class FakePolkit {
 public:
  enum class Answer { Yes, No, Hold, WrongType, Error };

  explicit FakePolkit(Answer answer);
  FakePolkit(const FakePolkit&) = delete;
  FakePolkit& operator=(const FakePolkit&) = delete;
  /// Leaves the bus, with questions unanswered.
  ~FakePolkit();

  void answer(Answer answer) { answer_ = answer; }
  /// Answers the questions held so far.
  void release(bool allowed);
  /// Says Changed to the whole bus, after which every client of it has heard it.
  void say_changed();

  std::vector<Question> questions();
  void forget_questions();
  /// Waits until that many questions came. False after a deadline.
  bool wait_for_questions(std::size_t count);

 private:
  void run();
  void in_thread(const std::function<void()>& job);
  int on_message(sd_bus_message* message);
  static void reply(sd_bus_message* message, bool allowed);

  sd_bus* bus_ = nullptr;  ///< the thread's
  std::vector<Message> held_;
  std::atomic<Answer> answer_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Question> questions_;
  std::function<void()> job_;
  bool stop_ = false;
  UniqueFd wake_;
  std::thread thread_;
};

}  // namespace berth::bustest
