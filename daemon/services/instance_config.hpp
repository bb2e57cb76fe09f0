#pragma once

#include <cstdint>
#include <optional>

#include "base/names.hpp"
#include "base/result.hpp"
#include "daemon/domain/expand.hpp"
#include "daemon/domain/instance.hpp"
#include "daemon/domain/principal.hpp"
#include "daemon/domain/types.hpp"
#include "daemon/services/context.hpp"

namespace berth::services {

/// What to change; absent fields stay.
struct InstanceChanges {
  std::optional<ConfigMap> config;
  std::optional<DeviceMap> devices;
  std::optional<std::vector<ProfileName>> profiles;
  std::optional<std::string> description;
  std::optional<bool> ephemeral;
  std::optional<std::string> architecture;
  bool replace = false;  ///< config and devices are the whole new maps (PUT), else merged by key (PATCH)
  std::optional<std::uint64_t> if_revision;
};

class InstanceConfig {
 public:
  explicit InstanceConfig(Context& context) : context_(context) {}
  /// Validates the final expanded object, asks the policy about that same object, commits it, applies live keys. All or
  /// nothing. RevisionMismatch at once.
  Result<OperationId> update(const Principal& who, const ProjectName& project, const InstanceName& name, InstanceChanges changes);

 private:
  Result<void> commit(const Instance& current, Instance wanted, const Expanded& before, const Expanded& after);

  Context& context_;
};

/// Whether what an existing instance would be makes sense as a whole, and its root stays where it is.
Result<void> check_final(const Instance& instance, const Expanded& wanted);

}  // namespace berth::services
