#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.hpp"

namespace berth::helpers {

/// What a look at an unpacked tree found.
struct TreeFacts {
  std::uint64_t members = 0;
  std::uint64_t bytes = 0;     ///< on disk, files with more names counted once
  bool overlay_marks = false;  ///< whiteouts or overlay attributes: not fit to be a lower layer
};

/// True for names that overlayfs gives a meaning: `user.overlay.*`, `trusted.overlay.*`.
bool is_overlay_attribute(std::string_view xattr) noexcept;

/// Walks the tree by descriptor and looks at what is really there, whatever the archive's listing said (rule 3).
/// Errors: InvalidArgument for a device node, LimitsExceeded beyond `max_members` or the depth bound.
Result<TreeFacts> check_tree(int root, std::uint64_t max_members);

}  // namespace berth::helpers
