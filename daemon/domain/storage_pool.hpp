#pragma once

#include <cstdint>
#include <string>

#include "base/names.hpp"
#include "daemon/domain/types.hpp"

namespace berth {

/// A place for root disks and volumes, served by one storage driver.
struct StoragePool {
  Uuid uuid;
  PoolName name;
  std::string driver;  ///< `overlay` or `dir`
  std::string description;
  std::uint64_t revision = 1;
  Timestamp created_at{};
  ConfigMap config;  ///< `source` among them: the folder
};

}  // namespace berth
