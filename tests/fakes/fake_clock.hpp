#pragma once

#include "daemon/ports/clock.hpp"

#include <atomic>
#include <chrono>

namespace berth::fakes {

/// A clock that stands still until a test moves it. Any thread.
class FakeClock final : public ports::Clock {
 public:
  Timestamp now() const override { return Timestamp{std::chrono::microseconds{now_.load()}}; }
  void advance(std::chrono::microseconds by) { now_ += by.count(); }

 private:
  std::atomic<std::int64_t> now_{1'700'000'000'000'000};
};

}  // namespace berth::fakes
