#pragma once

#include <string>

#include "rest-bridge/api/call.hpp"

namespace berth::rest {

/// The limits that an `instance_type` means: `c2-m4` is two processors and 4 GiB, `c0.5` half of one. Cloud providers' names need
/// a list that LXD fetches from its makers' server: they are not known. Errors: InvalidArgument in LXD's words.
Result<StringMap> limits_of_type(const std::string& type);

}  // namespace berth::rest
