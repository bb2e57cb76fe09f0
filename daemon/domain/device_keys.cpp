#include "daemon/domain/device_keys.hpp"

#include "base/names.hpp"
#include "daemon/domain/expand.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string>

namespace berth {
namespace {

/// The types of the API, and whether this Berth has them.
struct DeviceType {
  std::string_view name;
  KeySupport support;
};

constexpr std::array kTypes{
    DeviceType{"none", KeySupport::Honoured},      DeviceType{"nic", KeySupport::Refused},
    DeviceType{"disk", KeySupport::Honoured},      DeviceType{"unix-char", KeySupport::Refused},
    DeviceType{"unix-block", KeySupport::Refused}, DeviceType{"usb", KeySupport::Refused},
    DeviceType{"gpu", KeySupport::Refused},        DeviceType{"infiniband", KeySupport::Refused},
    DeviceType{"proxy", KeySupport::Refused},      DeviceType{"unix-hotplug", KeySupport::Refused},
    DeviceType{"tpm", KeySupport::Refused},        DeviceType{"pci", KeySupport::Refused},
};

constexpr std::array kKeys{
    DeviceKey{.device = "disk",
              .name = "path",
              .required = true,
              .description = "Where it is in the container; / is the root disk"},
    DeviceKey{.device = "disk", .name = "pool", .description = "Storage pool of the root disk"},
    DeviceKey{.device = "disk",
              .name = "size",
              .type = ValueType::Size,
              .description = "Size of the root disk; pools without quotas keep the value and set no limit"},
    DeviceKey{.device = "disk",
              .name = "readonly",
              .type = ValueType::Bool,
              .fallback = "false",
              .description = "Whether it can only be read"},
    DeviceKey{.device = "disk",
              .name = "source",
              .support = KeySupport::Refused,
              .description = "Folder, block device or volume of the host"},
    DeviceKey{.device = "disk",
              .name = "optional",
              .type = ValueType::Bool,
              .fallback = "false",
              .support = KeySupport::Refused,
              .description = "Whether a missing source is tolerated"},
    DeviceKey{.device = "disk",
              .name = "recursive",
              .type = ValueType::Bool,
              .fallback = "false",
              .support = KeySupport::Refused,
              .description = "Whether mounts below the source come along"},
    DeviceKey{.device = "disk",
              .name = "propagation",
              .type = ValueType::OneOf,
              .fallback = "private",
              .support = KeySupport::Refused,
              .choices = "private|shared|slave|unbindable|rshared|rslave|runbindable|rprivate",
              .description = "How later mounts below it pass between host and container"},
    DeviceKey{.device = "disk",
              .name = "limits.read",
              .support = KeySupport::Refused,
              .description = "Bytes or iops a second"},
    DeviceKey{.device = "disk",
              .name = "limits.write",
              .support = KeySupport::Refused,
              .description = "Bytes or iops a second"},
    DeviceKey{.device = "disk",
              .name = "limits.max",
              .support = KeySupport::Refused,
              .description = "limits.read and limits.write"},
};

Error invalid(std::string message) { return Error{Code::InvalidArgument, std::move(message)}; }

std::string shown(std::string_view text) {
  std::string out(text.substr(0, 80));
  std::replace_if(
      out.begin(), out.end(),
      [](char c) {
        return has_control_characters({&c, 1});
      },
      '?');
  return out;
}

Result<void> check_name(const std::string& name) {
  if (!name.empty() && name.size() <= 64 && !has_control_characters(name) && name.find('/') == std::string::npos)
    return {};
  return invalid("Invalid device name '" + shown(name) +
                 "': use 1 to 64 characters without '/' and control characters");
}

Result<std::string> check_type(const std::string& device, const ConfigMap& keys) {
  const auto type = keys.find("type");
  if (type == keys.end() || type->second.empty()) return invalid("Missing device type for device '" + device + "'");
  const auto row =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const DeviceType& t) { return t.name == type->second; });
  if (row == kTypes.end()) return invalid("Invalid device type " + shown(type->second));
  if (row->support == KeySupport::Refused)
    return Error{Code::NotSupported, "Device '" + device + "': devices of type " + type->second +
                                         " are not supported by this version of Berth"};
  return type->second;
}

Result<void> check_key(const std::string& device, const std::string& type, const std::string& key,
                       const std::string& value) {
  const auto row =
      std::find_if(kKeys.begin(), kKeys.end(), [&](const DeviceKey& k) { return k.device == type && k.name == key; });
  if (row == kKeys.end()) return invalid("Invalid device configuration key for " + type + ": " + shown(key));
  if (auto valid = validate_value(row->type, value, row->choices); !valid)
    return std::move(valid).error().within("Device '" + device + "', " + key);
  const bool off = value.empty() || value == row->fallback || (row->type == ValueType::Bool && !is_true(value));
  if (row->support == KeySupport::Refused && !off)
    return Error{Code::NotSupported,
                 "Device '" + device + "': the property " + key + " is not supported by this version of Berth"};
  return {};
}

/// Root disks are the only disks there are; whatever else a disk may be is said by name.
Result<void> check_disk(const std::string& device, const ConfigMap& keys) {
  const auto path = keys.find("path");
  if (path == keys.end() || path->second.empty())
    return invalid("Device '" + device + "': Disk entry is missing the required \"path\" property");
  const auto source = keys.find("source");
  if (path->second == "/" && source != keys.end() && !source->second.empty())
    return invalid("Device '" + device + "': Root disk entry may not have a \"source\" property set");
  if (path->second != "/")
    return Error{
        Code::NotSupported,
        "Device '" + device + "': disks other than the root disk (path=/) are not supported by this version of Berth"};
  return {};
}

}  // namespace

std::span<const DeviceKey> device_keys() { return kKeys; }

Result<void> validate_devices(const DeviceMap& devices) {
  for (const auto& [name, keys] : devices) {
    BERTH_CHECK(check_name(name));
    BERTH_TRY(const auto type, check_type(name, keys));
    if (type == "disk") BERTH_CHECK(check_disk(name, keys));
    for (const auto& [key, value] : keys)
      if (key != "type") BERTH_CHECK(check_key(name, type, key, value));
  }
  return {};
}

Result<void> validate_devices_together(const DeviceMap& expanded) {
  BERTH_CHECK(find_root_disk(expanded));
  std::set<std::string> paths;
  for (const auto& [name, keys] : expanded) {
    const auto path = keys.find("path");
    if (path == keys.end() || keys.at("type") != "disk") continue;
    if (!paths.insert(path->second).second)
      return invalid("Device '" + name + "': another disk has the path " + path->second + " already");
  }
  return {};
}

}  // namespace berth
