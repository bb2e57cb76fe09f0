#pragma once

#include <string>

#include "base/result.hpp"

namespace berth::adapters {

/// Fills `folder`/rootfs with a copy of the tree at `tree`, by berth-helper. Errors: NotFound, Unavailable (disk full).
Result<void> copy_plain_root(const std::string& helper, const std::string& tree, int folder);
/// `folder`/rootfs as an empty folder of the guest's root.
Result<void> make_empty_plain_root(int folder);
/// Whether files in `folder` can share blocks; tried with two small files.
bool supports_reflink(int folder);

}  // namespace berth::adapters
