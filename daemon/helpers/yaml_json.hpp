#pragma once

#include <cstddef>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/result.hpp"

namespace berth::helpers {

/// A YAML document as JSON: maps, lists, texts, and what stands there without quotes as true, false or null; numbers and
/// times stay texts. What comes out is bounded in bytes and in depth, whatever aliases say. `name` is that of the
/// document, for errors: InvalidArgument, LimitsExceeded.
Result<nlohmann::json> yaml_to_json(std::string_view yaml, const std::string& name);

inline constexpr std::size_t kMaxYaml = 2 << 20;

}  // namespace berth::helpers
