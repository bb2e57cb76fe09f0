#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace berth::rest {

/// How an unset time (0) looks: as unix 0, or as the zero time of the API's first implementation. Clients take both.
enum class Unset { UnixZero, YearOne };

/// Microseconds since the epoch, UTC, as RFC 3339 with as many decimals as needed.
std::string rfc3339(std::uint64_t microseconds, Unset unset = Unset::YearOne);

/// The inverse. Any offset; the zero time and everything before 1970 is 0. Nothing when it is no RFC 3339 time.
std::optional<std::uint64_t> parse_rfc3339(std::string_view text);

}  // namespace berth::rest
