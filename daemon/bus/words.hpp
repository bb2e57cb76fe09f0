#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace berth::bus {

/// D-Bus spells enumerations in lower case: `Running` is `running`.
inline std::string lower_case(std::string_view word) {
  std::string text(word);
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

}  // namespace berth::bus
