#include "rest-bridge/api/message.hpp"

#include <strings.h>

namespace berth::rest {
namespace {

bool same_name(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

std::string_view Headers::get(std::string_view name) const noexcept {
  for (const auto& [field, value] : fields_)
    if (same_name(field, name)) return value;
  return {};
}

std::vector<std::string_view> Headers::all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& [field, value] : fields_)
    if (same_name(field, name)) values.emplace_back(value);
  return values;
}

}  // namespace berth::rest
