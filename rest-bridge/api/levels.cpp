#include "rest-bridge/api/levels.hpp"

#include <cstddef>

namespace berth::rest {
namespace {

constexpr int kDeepest = 64;

}  // namespace

bool is_shallow(std::string_view json) noexcept {
  int depth = 0;
  bool in_text = false;
  for (std::size_t at = 0; at < json.size(); ++at) {
    const char c = json[at];
    if (in_text && c == '\\') ++at;
    if (c == '"') in_text = !in_text;
    if (in_text) continue;
    if ((c == '[' || c == '{') && ++depth > kDeepest) return false;
    if (c == ']' || c == '}') --depth;
  }
  return true;
}

}  // namespace berth::rest
