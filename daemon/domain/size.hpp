#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace berth {

/// Bytes of LXD's size notation: an integer and at once a suffix: none, `B`, ` bytes`, `kB`..`EB` (1000^n),
/// `KiB`..`EiB` (1024^n). Empty is 0. Errors: InvalidArgument `Invalid value: X` (form), `Invalid integer: X` (does not
/// fit).
Result<std::uint64_t> parse_size(std::string_view text);

/// Bits a second: an integer and none, `bit`, `kbit`..`Ebit` (1000^n), `Kibit`..`Eibit` (1024^n). Empty is 0.
Result<std::uint64_t> parse_bits(std::string_view text);

/// For a person, as LXD prints it: decimal units with two digits, `532B`, `1.04MB`.
std::string format_size(std::uint64_t bytes);

}  // namespace berth
