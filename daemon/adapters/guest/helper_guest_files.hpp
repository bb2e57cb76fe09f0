#pragma once

#include <memory>
#include <string>

#include "daemon/adapters/guest/helper_sessions.hpp"
#include "daemon/ports/guest_files.hpp"

namespace berth::adapters {

/// Files of guests by way of berth-helper, one run a request. Holds no state but the SFTP sessions that run.
class HelperGuestFiles : public ports::GuestFiles {
 public:
  /// `helper` is the absolute path of berth-helper.
  explicit HelperGuestFiles(std::string helper)
      : helper_(std::move(helper)), sessions_(std::make_shared<HelperSessions>(kMostSftpSessions)) {}

  Result<void> render(const RootSpec& root, ports::RenderRequest request) override;
  Result<ports::OpenGuestFile> read(const ports::GuestPlace& place, const std::string& path, bool content) override;
  Result<void> write(const ports::GuestPlace& place, const ports::GuestFileWrite& request, int content,
                     const std::function<bool()>& cancelled) override;
  Result<void> remove(const ports::GuestPlace& place, const std::string& path) override;

  Result<ports::SftpServer> serve_sftp(const ports::GuestPlace& place, std::function<void()> ended) override;

  static constexpr std::size_t kMostSftpSessions = 64;

 private:
  std::string helper_;
  std::shared_ptr<HelperSessions> sessions_;
};

}  // namespace berth::adapters
