#pragma once

#include "cli/server.hpp"

namespace berth::cli {

/// The fingerprint that an alias, a fingerprint or the beginning of one means. Errors: NotFound, naming it.
Result<std::string> resolve_image(Server& server, const std::string& argument);

}  // namespace berth::cli
