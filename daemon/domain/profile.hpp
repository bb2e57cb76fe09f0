#pragma once

#include <cstdint>
#include <string>

#include "base/names.hpp"
#include "daemon/domain/types.hpp"

namespace berth {

/// Configuration and devices that instances share by naming it.
struct Profile {
  Uuid uuid;
  ProjectName project;
  ProfileName name;
  std::uint32_t owner_uid = 0;
  std::uint64_t revision = 1;
  Timestamp created_at{};
  std::string description;
  ConfigMap config;
  DeviceMap devices;
};

}  // namespace berth
