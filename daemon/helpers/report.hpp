#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace berth::helpers {

/// The helper's answers, on the report pipe (base/helper_process.hpp has the form). Each is one line.
void report_progress(std::uint64_t bytes);
void report_result(std::string_view text);
void report_error(const Error& error);

/// `name` as it may stand in an error text: control characters and bytes that are not UTF-8 are shown as `\xNN`, and a
/// long one is cut in the middle.
std::string shown(std::string_view name);

}  // namespace berth::helpers
