#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/names.hpp"
#include "daemon/domain/types.hpp"

namespace berth {

/// One container as the database has it. Its folder and its liblxc name are the uuid, so a rename moves nothing.
struct Instance {
  Uuid uuid;
  ProjectName project;
  InstanceName name;
  std::string type = "container";
  std::string location = "none";  ///< cluster member; `none` on a server of its own
  std::uint32_t owner_uid = 0;    ///< uid of the local user who made it
  std::string architecture;       ///< kernel name: x86_64, aarch64...
  std::uint64_t revision = 1;     ///< goes up with each committed change; what ETag and `if-revision` compare
  Timestamp created_at{};
  Timestamp last_used_at{};  ///< last start; kNever before the first
  bool ephemeral = false;
  std::string description;
  std::vector<ProfileName> profiles;
  ConfigMap config;   ///< local keys, `volatile.*` and `image.*` included
  DeviceMap devices;  ///< local devices
  PoolName pool;      ///< where its root disk is
};

/// The columns of an instance that are cheap to read: who it is, and which state of its row. Lists are made of these.
struct InstanceSummary {
  Uuid uuid;
  ProjectName project;
  InstanceName name;
  std::string type;
  std::string architecture;
  std::uint64_t revision = 1;
  Timestamp created_at{};
  Timestamp last_used_at{};
  bool ephemeral = false;
};
InstanceSummary summary_of(const Instance& instance);

/// Where a container is in its life. The words of the API and the LXD codes are in instance_status.cpp.
enum class InstanceStatus { Stopped, Starting, Running, Freezing, Frozen, Thawed, Stopping, Error };

/// "Running" (the LXD word; D-Bus says the same in lower case).
std::string_view status_word(InstanceStatus status);
/// LXD's number for it: 102 Stopped, 103 Running, 106 Starting, 107 Stopping, 109 Freezing, 110 Frozen, 111 Thawed, 112 Error.
int status_code(InstanceStatus status);

}  // namespace berth
