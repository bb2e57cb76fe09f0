#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "daemon/domain/instance.hpp"

namespace berth {

/// The JSON that lies beside an instance and suffices to make its database row again.
std::string manifest_to_json(const Instance& instance);

/// Reads one back. Every name is parsed again and every text checked, as if a stranger had sent it.
/// Errors: InvalidArgument says which field is wrong.
Result<Instance> manifest_from_json(std::string_view text);

}  // namespace berth
