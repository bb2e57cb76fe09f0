#pragma once

#include "base/result.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::cli {

/// The name in `[local:]name`. `local:` alone is the empty name. Errors: NotFound for another remote, which is named:
/// Berth's command line talks to the daemon of its own machine.
Result<std::string> local_name(std::string_view argument);
/// The same, and a name is required. Errors: InvalidArgument when there is none; `what` says of what ("instance").
Result<std::string> required_name(std::string_view argument, std::string_view what);

using Pair = std::pair<std::string, std::string>;
/// `key=value`. Errors: InvalidArgument without a `=`.
Result<Pair> pair_of(const std::string& argument);
/// The settings of a `set` command: `key=value...`, or the old form `key value`. The value `-` is standard input when
/// that is no terminal.
Result<std::vector<Pair>> settings_of(const std::vector<std::string>& arguments);

/// A path of the API with `name` as its last part, percent-encoded.
std::string api_path(std::string_view collection, std::string_view name);

}  // namespace berth::cli
