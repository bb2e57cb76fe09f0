#pragma once

#include "base/result.hpp"
#include "daemon/domain/config_keys.hpp"
#include "daemon/domain/types.hpp"
#include "daemon/domain/value_types.hpp"

#include <span>
#include <string_view>

namespace berth {

/// One property of one type of device.
struct DeviceKey {
  std::string_view device;  ///< `disk`
  std::string_view name;    ///< `path`
  ValueType type = ValueType::Line;
  std::string_view fallback;
  bool required = false;
  KeySupport support = KeySupport::Honoured;
  std::string_view since;
  std::string_view choices;
  std::string_view description;
};

std::span<const DeviceKey> device_keys();

/// Checks the devices of one object (an instance's own or a profile's). Errors: InvalidArgument `Missing device type
/// for device 'X'`, `Invalid device type X`, `Invalid device configuration key for disk: X`, a bad value; NotSupported
/// names the type and the device when this Berth has no such device.
Result<void> validate_devices(const DeviceMap& devices);

/// Checks between devices, on the expanded ones of an instance: one root disk with a pool, paths unique.
/// Errors: InvalidArgument.
Result<void> validate_devices_together(const DeviceMap& expanded);

}  // namespace berth
