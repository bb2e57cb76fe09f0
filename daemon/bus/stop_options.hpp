#pragma once

#include <chrono>
#include <utility>

#include "daemon/bus/options.hpp"
#include "daemon/services/instance_lifecycle.hpp"

namespace berth::bus {

/// How a stop or a restart goes: `force` b, `timeout` x. Errors: InvalidArgument.
inline Result<services::StopRequest> read_stop(VariantMap options) {
  services::StopRequest request;
  std::int64_t timeout = -1;
  OptionReader reader{std::move(options)};
  reader.read("force", request.force);
  reader.read("timeout", timeout);
  if (timeout < -1) reader.refuse("timeout", "must be -1 (for ever), 0 (kill) or a number of seconds");
  BERTH_CHECK(reader.finish());
  if (timeout >= 0) request.timeout = std::chrono::seconds{timeout};
  return request;
}

}  // namespace berth::bus
