#pragma once

#include <chrono>

#include "daemon/domain/types.hpp"

namespace berth::ports {

/// Wall-clock time, so that tests can choose it. Any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp now() const = 0;
};

}  // namespace berth::ports
