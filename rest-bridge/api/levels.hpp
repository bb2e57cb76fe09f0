#pragma once

#include <string_view>

namespace berth::rest {

/// Whether JSON text has no more than 64 levels. To copy a value or to write it takes stack for each of its levels, and a text of
/// some megabytes can have millions: look before anything from a client is parsed.
bool is_shallow(std::string_view json) noexcept;

}  // namespace berth::rest
