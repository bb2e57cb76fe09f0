#pragma once

#include <array>
#include <cerrno>
#include <string>
#include <unistd.h>

#include "base/result.hpp"

namespace berth::helpers {

/// What comes from `fd` until its end; `what` names it in errors. Errors: LimitsExceeded beyond `limit` bytes.
inline Result<std::string> read_all(int fd, std::size_t limit, const std::string& what) {
  std::string out;
  std::array<char, 65536> chunk{};
  for (;;) {
    const ssize_t n = read(fd, chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("cannot read " + what, errno);
    if (n == 0) return out;
    if (out.size() + static_cast<std::size_t>(n) > limit) return Error{Code::LimitsExceeded, what + " is too long"};
    out.append(chunk.data(), static_cast<std::size_t>(n));
  }
}

}  // namespace berth::helpers
