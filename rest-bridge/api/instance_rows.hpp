#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "rest-bridge/api/call.hpp"

namespace berth::rest {

/// One instance's row as the API's object; `full` adds what only the full form has.
Json shown_instance(Json row, bool full);

/// The rows of DescribeInstances, two lines each, as the API's array, by the rules of shown_instance(). The lists of servers
/// with many instances are long and mostly as they were: a row's first line is rewritten once, the second while it is read.
/// Errors: Internal.
Result<std::string> shown_instances(std::string_view rows, bool full);

/// One instance, and what goes with it.
struct ShownInstance {
  std::string text;  ///< the API's object
  std::string etag;  ///< of everything a PUT can change but the description
  std::uint64_t revision = 0;
};
/// The only row of `rows`, by the same rules; nothing when there is none. Errors: Internal.
Result<std::optional<ShownInstance>> shown_only_instance(std::string rows, bool full);

}  // namespace berth::rest
