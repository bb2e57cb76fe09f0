#pragma once

#include "base/result.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::cli {

using Pair = std::pair<std::string, std::string>;
/// `key=value`. Errors: InvalidArgument without a `=`.
Result<Pair> pair_of(const std::string& argument);
/// The settings of a `set` command: `key=value...`, or the old form `key value`. The value `-` is standard input when
/// that is no terminal.
Result<std::vector<Pair>> settings_of(const std::vector<std::string>& arguments);

/// The last part of a path of the API, decoded: the name in `/1.0/instances/web?project=x`.
std::string name_in_url(std::string_view url);
/// Whether a name is `instance/snapshot`.
bool is_snapshot_name(std::string_view name) noexcept;
/// The path of an instance, or of a snapshot for `instance/snapshot`.
std::string instance_path(std::string_view name);
/// A path of the API with `name` as its last part, percent-encoded.
std::string api_path(std::string_view collection, std::string_view name);

}  // namespace berth::cli
