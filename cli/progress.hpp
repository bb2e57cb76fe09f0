#pragma once

#include "base/unique_fd.hpp"
#include "rest-bridge/api/loop.hpp"
#include "rest-bridge/api/session.hpp"

#include <csignal>
#include <memory>
#include <string>

namespace berth::cli {

class Server;

/// While it lives, the progress of one operation is shown in a line on standard error (on a terminal, unless quiet),
/// and Ctrl-C asks the daemon to cancel it; the third Ctrl-C ends this program and leaves the operation alone.
/// Without a word for what is done, neither happens. It works while the client's loop runs.
class Progress {
 public:
  Progress(Server& server, std::string operation, std::string what);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

 private:
  void show(std::string_view event);
  void interrupted();

  Server& server_;
  std::string operation_;
  std::string what_;
  std::shared_ptr<rest::EventStream> events_;
  UniqueFd signals_;
  std::unique_ptr<rest::Loop::Watch> watch_;
  sigset_t before_{};
  int interrupts_ = 0;
  std::size_t shown_ = 0;
};

/// The line for an operation's event: what is done and the text of the `*_progress` in its metadata; empty when the
/// event is another operation's or tells no progress.
std::string progress_line(std::string_view event, const std::string& operation, const std::string& what);

}  // namespace berth::cli
