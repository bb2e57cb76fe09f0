#pragma once

#include "cli/context.hpp"

namespace berth::cli {

/// The fingerprint that an alias, a fingerprint or the beginning of one means. Errors: NotFound, naming it.
Result<std::string> resolve_image(Server& server, const std::string& name);
/// The same for `[remote:]image`: its server, and the fingerprint as the name.
Result<Place> find_image(Context& context, const std::string& argument);

/// Gives an image further names. Errors: AlreadyExists and others, with the alias.
Result<void> add_aliases(Server& server, const Strings& aliases, const std::string& fingerprint);

}  // namespace berth::cli
