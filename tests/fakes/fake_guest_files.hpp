#pragma once

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "daemon/ports/guest_files.hpp"

namespace berth::fakes {

/// One guest's files in memory, by path, and what was to be rendered. Any thread.
class FakeGuestFiles final : public ports::GuestFiles {
 public:
  void refuse_next(Error error) {
    const std::lock_guard lock(mutex_);
    failure_ = std::move(error);
  }
  std::vector<ports::RenderRequest> take_rendered() {
    const std::lock_guard lock(mutex_);
    return std::exchange(rendered_, {});
  }

  Result<void> render(const RootSpec&, ports::RenderRequest request) override {
    const std::lock_guard lock(mutex_);
    if (failure_) return *std::exchange(failure_, std::nullopt);
    rendered_.push_back(std::move(request));
    return {};
  }

  /// Whether the last call was about a running container.
  bool saw_running() {
    const std::lock_guard lock(mutex_);
    return running_;
  }

  Result<ports::OpenGuestFile> read(const ports::GuestPlace& place, const std::string& path, bool content) override {
    const std::lock_guard lock(mutex_);
    running_ = place.init_pid != 0;
    const auto found = texts_.find(path);
    if (found == texts_.end()) return Error{Code::NotFound, "There is no " + path};
    UniqueFd fd(memfd_create("file", MFD_CLOEXEC));
    if (content && ::write(fd.get(), found->second.data(), found->second.size()) < 0)
      return Error{Code::Internal, "cannot make a file in memory"};
    lseek(fd.get(), 0, SEEK_SET);
    return ports::OpenGuestFile{.info = {.type = "file", .mode = 0644, .size = found->second.size()},
                                .content = std::move(fd),
                                .wait = [](const std::function<bool()>&) -> Result<void> { return {}; }};
  }
  Result<void> write(const ports::GuestPlace& place, const ports::GuestFileWrite& request, int content,
                     const std::function<bool()>&) override {
    std::string bytes;
    std::array<char, 4096> buffer{};
    for (ssize_t got = 0; (got = ::read(content, buffer.data(), buffer.size())) > 0;)
      bytes.append(buffer.data(), static_cast<std::size_t>(got));
    const std::lock_guard lock(mutex_);
    running_ = place.init_pid != 0;
    if (failure_) return *std::exchange(failure_, std::nullopt);
    std::string& text = texts_[request.path];
    text = request.append ? text + bytes : bytes;
    return {};
  }
  Result<void> remove(const ports::GuestPlace& place, const std::string& path) override {
    const std::lock_guard lock(mutex_);
    running_ = place.init_pid != 0;
    if (texts_.erase(path) == 0) return Error{Code::NotFound, "There is no " + path};
    return {};
  }

  /// A socket whose other end is held here until end_sftp(), or until the session is stopped.
  Result<ports::SftpServer> serve_sftp(const ports::GuestPlace& place, std::function<void()> ended) override {
    const std::lock_guard lock(mutex_);
    running_ = place.init_pid != 0;
    if (failure_) return *std::exchange(failure_, std::nullopt);
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return Error{Code::Internal, "no socket"};
    sftp_.push_back({UniqueFd(ends[0]), std::move(ended)});
    return ports::SftpServer{.socket = UniqueFd(ends[1]), .stop = [this] {
                               const std::lock_guard stopping(stoppers_mutex_);
                               stoppers_.emplace_back([this] { end_sftp(); });
                             }};
  }
  /// Ends the sessions; returns how many there were.
  std::size_t end_sftp() {
    std::vector<Sftp> ended;
    {
      const std::lock_guard lock(mutex_);
      ended.swap(sftp_);
    }
    for (auto& session : ended) session.ended();
    return ended.size();
  }

 private:
  struct Sftp {
    UniqueFd socket;
    std::function<void()> ended;
  };
  std::vector<Sftp> sftp_;
  std::mutex mutex_;
  bool running_ = false;
  std::map<std::string, std::string> texts_;
  std::optional<Error> failure_;
  std::vector<ports::RenderRequest> rendered_;
  std::mutex stoppers_mutex_;
  std::vector<std::jthread> stoppers_;  ///< last: they use what is above
};

}  // namespace berth::fakes
