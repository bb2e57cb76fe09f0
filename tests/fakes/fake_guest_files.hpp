#pragma once

#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "daemon/ports/guest_files.hpp"

namespace berth::fakes {

/// Remembers what it was to render. Any thread.
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

 private:
  std::mutex mutex_;
  std::optional<Error> failure_;
  std::vector<ports::RenderRequest> rendered_;
};

}  // namespace berth::fakes
