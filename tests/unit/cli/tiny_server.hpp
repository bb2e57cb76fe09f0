#pragma once

#include <atomic>
#include <condition_variable>
#include <list>
#include <mutex>
#include <string>
#include <thread>

#include "base/unique_fd.hpp"

namespace berth::testing_support {

/// As much of a server as a transport needs, on a unix socket, with a thread for each connection: every request is answered with its own
/// path; POST .../exec with an operation whose command gives its input back; /1.0/events with a hundred events, and then the end.
class TinyServer {
 public:
  explicit TinyServer(const std::string& path);
  TinyServer(const TinyServer&) = delete;
  TinyServer& operator=(const TinyServer&) = delete;
  ~TinyServer();

  /// Answers nothing any more until it ends.
  void hold() { held_ = true; }

 private:
  void accept_all();
  void serve(int fd);
  void serve_websocket(int fd, const std::string& target, const std::string& key);

  UniqueFd listener_;
  std::atomic<bool> held_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string input_;       ///< of the command
  bool input_over_ = false;
  int outputs_over_ = 0;
  std::list<UniqueFd> connections_;
  std::list<std::thread> threads_;
  std::thread accepting_;
};

}  // namespace berth::testing_support
