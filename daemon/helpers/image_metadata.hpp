#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace berth::helpers {

inline constexpr std::size_t kMaxMetadata = 1 << 20;

/// metadata.yaml as JSON text with just the fields that are known, their types checked: `architecture` (string),
/// `creation_date` and `expiry_date` (integers), `properties` (strings), `templates`. Anchors cannot make it grow: what
/// comes out is bounded. Errors: InvalidArgument naming the field.
Result<std::string> metadata_to_json(std::string_view yaml);

}  // namespace berth::helpers
