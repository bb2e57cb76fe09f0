#pragma once

#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "daemon/domain/start_plan.hpp"

namespace berth::adapters {

/// The folders of a stopped instance's root, opened for berth-helper, which makes a root of them in namespaces of its
/// own.
struct GuestRoot {
  const char* layout = "plain";  ///< `plain`; `overlay`: image tree, then the layer's folder
  std::vector<UniqueFd> folders;
};

/// Errors: NotFound, Internal.
Result<GuestRoot> open_guest_root(const RootSpec& root);

}  // namespace berth::adapters
