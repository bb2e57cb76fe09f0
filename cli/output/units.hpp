#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace berth::cli {

/// Bytes in powers of 1024: 512B, 1.50KiB, 2.00GiB.
std::string size_text(std::int64_t bytes);
/// Bytes of a configuration value (2GiB, 512MB, 1024); 0 when it is none.
std::int64_t size_of_text(std::string_view text);
/// An RFC 3339 time as `2026/11/26 11:14 UTC`; empty when it is unset.
std::string minute_text(std::string_view rfc3339);
/// The same as `Nov 26, 2026 at 11:14am (UTC)`.
std::string day_text(std::string_view rfc3339);

}  // namespace berth::cli
