#include "daemon/adapters/guest/helper_sessions.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

namespace berth::adapters {

HelperSessions::~HelperSessions() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (auto& [number, session] : sessions_) session.helper.kill();
  }
  wake();
  if (thread_.joinable()) thread_.join();
}

Result<void> HelperSessions::check_room() const {
  const std::lock_guard lock(mutex_);
  if (!stopping_ && sessions_.size() < most_) return {};
  return Error{Code::LimitsExceeded, "There are " + std::to_string(most_) + " SFTP sessions already; end some first"};
}

Result<std::uint64_t> HelperSessions::keep(HelperProcess helper, std::function<void()> ended) {
  BERTH_CHECK(check_room());
  const std::lock_guard lock(mutex_);
  if (!wake_) {
    wake_.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!wake_) return system_error("cannot wait for SFTP sessions", errno);
    thread_ = std::thread([this] { run(); });
  }
  sessions_.emplace(++last_, Session{std::move(helper), std::move(ended)});
  wake();
  return last_;
}

void HelperSessions::stop(std::uint64_t session) {
  const std::lock_guard lock(mutex_);
  if (const auto found = sessions_.find(session); found != sessions_.end()) found->second.helper.kill();
}

void HelperSessions::wake() {
  const std::uint64_t one = 1;
  if (wake_) (void)!::write(wake_.get(), &one, sizeof one);
}

std::vector<HelperSessions::Session> HelperSessions::take_ended() {
  std::vector<pollfd> waiting{{.fd = wake_.get(), .events = POLLIN, .revents = 0}};
  std::vector<std::uint64_t> numbers;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [number, session] : sessions_) {
      waiting.push_back({.fd = session.helper.report_fd(), .events = POLLIN, .revents = 0});
      numbers.push_back(number);
    }
  }
  (void)poll(waiting.data(), waiting.size(), -1);
  std::uint64_t count = 0;
  (void)!::read(wake_.get(), &count, sizeof count);
  std::vector<Session> ended;
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto found = sessions_.find(numbers[i]);
    // The report's end: of a helper and its confined child the last one has closed it.
    if (waiting[i + 1].revents == 0 || found->second.helper.read_report({})) continue;
    ended.push_back(std::move(sessions_.extract(found).mapped()));
  }
  return ended;
}

void HelperSessions::run() {
  for (;;) {
    for (auto& session : take_ended()) {
      { const HelperProcess reaped = std::move(session.helper); }
      session.ended();
    }
    const std::lock_guard lock(mutex_);
    if (stopping_ && sessions_.empty()) return;
  }
}

}  // namespace berth::adapters
