#pragma once

#include "base/result.hpp"
#include "daemon/domain/types.hpp"
#include "daemon/services/context.hpp"

namespace berth::services {

/// Gives a running container the limits that differ between two expanded configurations; success when it does not run.
/// On error some may have been set.
Result<void> apply_live(Context& context, const Uuid& instance, const ConfigMap& before, const ConfigMap& after);

}  // namespace berth::services
