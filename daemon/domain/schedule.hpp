#pragma once

#include "base/result.hpp"

#include <string_view>

namespace berth {

/// Checks a schedule: five fields (minute hour day-of-month month day-of-week), or names as `@daily`, several of them
/// separated by commas. Errors: InvalidArgument `Schedule must be of the form: ...`.
Result<void> validate_schedule(std::string_view text);

/// Checks an expiry: `1w 2d`, each of the units M H d w m y at most once. Errors: InvalidArgument.
Result<void> validate_expiry(std::string_view text);

}  // namespace berth
