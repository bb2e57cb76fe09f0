#pragma once

#include "cli/complete.hpp"
#include "cli/context.hpp"

namespace berth::cli {

/// Names of one kind that begin with `typed`, or more: the caller keeps what fits. `path` names the command, `before`
/// are the arguments in front. Empty when the server says nothing.
Strings names_for(const ArgumentKind& kind, Context& context, const Strings& path, const Strings& before,
                  const std::string& typed);

}  // namespace berth::cli
