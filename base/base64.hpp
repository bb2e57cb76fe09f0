#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace berth {

/// Standard base64 with padding, on one line.
std::string base64_encode(std::string_view bytes);

/// The inverse; newlines are skipped, as clients break their lines. Errors: InvalidArgument
/// `illegal base64 data at input byte N`.
Result<std::string> base64_decode(std::string_view text);

}  // namespace berth
