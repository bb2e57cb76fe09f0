#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace berth::bus {

/// A memory file that holds `content` and can never change again, at its beginning. Any thread.
Result<UniqueFd> sealed_memfd(const char* name, std::string_view content);

/// The same of what can be read from `fd`, a file or a pipe, to its end. Errors: LimitsExceeded beyond `limit` bytes,
/// InvalidArgument when the end does not come in ten seconds.
Result<UniqueFd> sealed_copy(const char* name, int fd, std::size_t limit);

}  // namespace berth::bus
