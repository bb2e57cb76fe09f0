#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace berth::ports {

/// Calls to systemd on the bus, for adapters that may not know a bus. Blocking: workers only (the calls are posted to the
/// loop, whose thread owns the connection). Errors: Unavailable when the service is not there or does not answer in time.
class SystemdCalls {
 public:
  virtual ~SystemdCalls() = default;
  /// True when org.freedesktop.systemd1 is on the bus.
  virtual bool available() = 0;
  /// StartUnit(unit, "fail"), then waits for the job's result: "done" is success.
  virtual Result<void> start_unit(const std::string& unit) = 0;
  virtual Result<void> stop_unit(const std::string& unit) = 0;
  /// KillUnit(unit, "all", signal).
  virtual Result<void> kill_unit(const std::string& unit, std::int32_t signal) = 0;
  virtual Result<void> reset_failed_unit(const std::string& unit) = 0;
  /// Names of active units that match a glob.
  virtual Result<std::vector<std::string>> active_units(const std::string& pattern) = 0;
};

/// Whom polkit is asked about.
struct PolkitSubject {
  /// `system-bus-name`: polkit itself asks the bus who that is.
  std::string bus_name;
  /// `unix-process`, when `bus_name` is empty. The uid must be the kernel's word: polkit believes it.
  std::uint32_t pid = 0;
  std::uint64_t start_time = 0;
  std::uint32_t uid = 0;
};

/// Calls to polkit. Loop thread only.
class PolkitCalls {
 public:
  virtual ~PolkitCalls() = default;
  /// CheckAuthorization. `answer` comes once, on the loop thread, perhaps before this returns: polkit's is_authorized, or the
  /// error (no polkit, a time-out, an answer of the wrong form).
  virtual void check_authorization(const PolkitSubject& subject, const std::string& action,
                                   const std::map<std::string, std::string>& details, bool interactive,
                                   std::function<void(Result<bool>)> answer) = 0;
};

}  // namespace berth::ports
