#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace berth {

/// Configuration as the API carries it: every value is a string.
using ConfigMap = std::map<std::string, std::string>;
/// Devices by name; each is its own map, `type` among its keys.
using DeviceMap = std::map<std::string, ConfigMap>;
/// UTC with microseconds; the epoch itself means "never".
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;

inline constexpr Timestamp kNever{};

}  // namespace berth
