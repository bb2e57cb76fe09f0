#include "rest-bridge/api/message.hpp"

#include "base/text.hpp"

namespace berth::rest {

std::string_view Headers::get(std::string_view name) const noexcept {
  for (const auto& [field, value] : fields_)
    if (same_word(field, name)) return value;
  return {};
}

std::vector<std::string_view> Headers::all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& [field, value] : fields_)
    if (same_word(field, name)) values.emplace_back(value);
  return values;
}

}  // namespace berth::rest
