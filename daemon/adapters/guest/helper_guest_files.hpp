#pragma once

#include <string>

#include "daemon/ports/guest_files.hpp"

namespace berth::adapters {

/// Files of guests by way of berth-helper, one run a request. Holds no state.
class HelperGuestFiles : public ports::GuestFiles {
 public:
  /// `helper` is the absolute path of berth-helper.
  explicit HelperGuestFiles(std::string helper) : helper_(std::move(helper)) {}

  Result<void> render(const RootSpec& root, ports::RenderRequest request) override;
  Result<ports::OpenGuestFile> read(const ports::GuestPlace& place, const std::string& path, bool content) override;
  Result<void> write(const ports::GuestPlace& place, const ports::GuestFileWrite& request, int content,
                     const std::function<bool()>& cancelled) override;
  Result<void> remove(const ports::GuestPlace& place, const std::string& path) override;

 private:
  std::string helper_;
};

}  // namespace berth::adapters
