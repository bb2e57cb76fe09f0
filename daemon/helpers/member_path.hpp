#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace berth::helpers {

inline constexpr std::size_t kMaxPathLength = 4095;
inline constexpr std::size_t kMaxPathDepth = 256;

/// A member's name as a path below the archive's top: no "." and no doubled slashes; empty for the top itself.
/// Errors: InvalidArgument, naming the member, for absolute names, `..`, and names beyond the bounds (rules 3 and 20).
Result<std::string> member_path(std::string_view name);

/// "a/b/c" into "a/b" and "c"; the first is empty for a name at the top.
struct SplitPath {
  std::string parent;
  std::string name;
};
SplitPath split_path(const std::string& path);

}  // namespace berth::helpers
