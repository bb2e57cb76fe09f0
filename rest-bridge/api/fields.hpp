#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "rest-bridge/api/call.hpp"

namespace berth::rest {

/// Reading the members of a request's JSON. Absent and null are the empty value; a member of another type is
/// InvalidArgument and is named. Unknown members are ignored, as the API asks.
Result<Json> parse_object(std::string_view text);
bool has_field(const Json& object, std::string_view name);
Result<std::string> text_field(const Json& object, std::string_view name);
Result<bool> bool_field(const Json& object, std::string_view name);
/// A number, or `fallback` when there is none.
Result<std::int64_t> number_field(const Json& object, std::string_view name, std::int64_t fallback = 0);
Result<Strings> strings_field(const Json& object, std::string_view name);
/// {"a": "b"}; null values are empty texts.
Result<StringMap> map_field(const Json& object, std::string_view name);
/// {"eth0": {"type": "nic"}}.
Result<StringMaps> maps_field(const Json& object, std::string_view name);
/// A time as microseconds since the epoch; 0 when unset.
Result<std::uint64_t> time_field(const Json& object, std::string_view name);

}  // namespace berth::rest
