#pragma once

#include "base/names.hpp"
#include "base/result.hpp"
#include "daemon/domain/instance.hpp"
#include "daemon/domain/profile.hpp"
#include "daemon/domain/types.hpp"

#include <string>
#include <vector>

namespace berth {

/// What holds for an instance once its profiles are merged: the object that policy judges and that is committed.
struct Expanded {
  ConfigMap config;
  DeviceMap devices;
  friend bool operator==(const Expanded&, const Expanded&) = default;
};

/// Profiles from left to right, then the instance's own: the last value of a key wins; a device of the same name
/// replaces the whole device; one of type `none` stays, and does nothing.
Expanded expand(const std::vector<Profile>& profiles, const ConfigMap& config, const DeviceMap& devices);

/// The instance's profiles picked out of `known` in the order it names them, then expand(). Errors: NotFound names a
/// profile that is not in `known`.
Result<Expanded> expand(const Instance& instance, const std::vector<Profile>& known);

/// The root disk of a container.
struct RootDisk {
  std::string device;  ///< its name among the devices
  PoolName pool;
  bool readonly = false;
};

/// Errors: InvalidArgument `Failed getting root disk: No root device could be found`, `... More than one root device
/// found`, `Root disk entry must have a "pool" property set`.
Result<RootDisk> find_root_disk(const DeviceMap& expanded);

}  // namespace berth
