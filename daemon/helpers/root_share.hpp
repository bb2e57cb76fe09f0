#pragma once

#include <string_view>

#include "base/helper_process.hpp"
#include "daemon/helpers/confine.hpp"

namespace berth::helpers {

/// The confinement that sees a stopped instance's root as /root: `layout` is `plain` (one descriptor at kHelperFirst, the
/// tree) or `overlay` (two: image tree, layer folder). False for another layout.
inline bool share_root(std::string_view layout, Confinement& confinement) {
  if (layout == "plain") {
    confinement.shares = {{kHelperFirst, "root"}};
    return true;
  }
  if (layout != "overlay") return false;
  confinement.shares = {{kHelperFirst, "lower", true}, {kHelperFirst + 1, "layer"}};
  confinement.overlays = {OverlayShare{"/lower", "/layer/upper", "/layer/work", "root"}};
  return true;
}

}  // namespace berth::helpers
