#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "daemon/bus/event_loop.hpp"
#include "daemon/domain/principal.hpp"
#include "daemon/ports/authority.hpp"

namespace berth::bus {

/// services::HostAccessCheck: a worker's question about `configure-host-access`, carried to the loop and answered there.
class HostAccessQuestions {
 public:
  HostAccessQuestions(EventLoop& loop, ports::Authority& authority) : loop_(loop), authority_(authority) {}
  /// Blocks the worker until the authority has decided. Success, or AccessDenied that names `reasons`; no answer in time, or
  /// a daemon that is ending, is a denial.
  Result<void> ask(const Principal& who, const std::string& object, const std::vector<std::string>& reasons);

 private:
  EventLoop& loop_;
  ports::Authority& authority_;
};

}  // namespace berth::bus
