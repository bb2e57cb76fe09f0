#pragma once

#include "base/result.hpp"
#include "daemon/domain/expand.hpp"
#include "daemon/domain/instance.hpp"
#include "daemon/domain/start_plan.hpp"
#include "daemon/services/context.hpp"

namespace berth::services {

/// Renders what is due at a start: the templates that wait for `volatile.apply_template`, then those for `start`. Costs
/// no process when none is. The caller holds the instance's lock; the root is not mounted. Blocking; workers only.
/// Errors: those of GuestFiles::render.
Result<void> apply_templates(Context& context, const Instance& instance, const Expanded& all, const RootSpec& root,
                             bool privileged);

/// Gives a new instance its own copy of the image's metadata and templates. Errors: those of the two stores.
Result<void> copy_image_metadata(Context& context, const Fingerprint& image, const Uuid& instance);

/// Gives a copy of an instance what the original has of them; an original without any is success.
Result<void> copy_instance_metadata(Context& context, const Uuid& from, const Uuid& to);

}  // namespace berth::services
