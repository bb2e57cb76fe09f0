#pragma once

#include <map>
#include <string>

#include "base/result.hpp"

namespace berth::lxc {

/// What liblxc says of itself, through the supervisor's program.
struct LxcFeatures {
  std::string version;
  std::map<std::string, std::string> features;  ///< LXD's name to `true` or `false`
};

/// Runs `supervisor --features` (an absolute path). Blocking, some milliseconds. Errors: Internal.
Result<LxcFeatures> lxc_features(const std::string& supervisor);

/// What this kernel can do for containers, by LXD's names of `environment.kernel_features`.
std::map<std::string, std::string> kernel_features();

}  // namespace berth::lxc
