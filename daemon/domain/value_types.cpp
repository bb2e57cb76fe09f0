#include "daemon/domain/value_types.hpp"

#include <algorithm>
#include <string>

namespace berth {
namespace {

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  return out;
}

}  // namespace

bool is_true(std::string_view value) {
  const auto text = lower_case(value);
  return text == "true" || text == "1" || text == "yes" || text == "on";
}

}  // namespace berth
