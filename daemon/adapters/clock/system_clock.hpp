#pragma once

#include "daemon/ports/clock.hpp"

namespace berth::adapters {

/// The machine's own clock, to the microsecond that is stored.
class SystemClock final : public ports::Clock {
 public:
  Timestamp now() const override {
    return std::chrono::time_point_cast<Timestamp::duration>(std::chrono::system_clock::now());
  }
};

}  // namespace berth::adapters
