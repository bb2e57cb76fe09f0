#pragma once

#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "daemon/domain/start_plan.hpp"
#include "daemon/ports/guest_files.hpp"

namespace berth::adapters {

/// The folders of a stopped instance's root, or a running one's init, opened for berth-helper, which makes a root of them in namespaces of its
/// own.
struct GuestRoot {
  const char* layout = "plain";  ///< `plain`; `overlay`: image tree, then the layer's folder; `running`: a pidfd
  std::vector<UniqueFd> folders;
};

/// Errors: NotFound, Internal.
Result<GuestRoot> open_guest_root(const RootSpec& root);

/// The same for a place that may be a running container. FailedPrecondition when that ended.
Result<GuestRoot> open_guest_place(const ports::GuestPlace& place);

}  // namespace berth::adapters
