#include "base/base64.hpp"

#include <cstdint>

namespace berth {
namespace {

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string base64_encode(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j)
      group = group << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    for (std::size_t j = 0; j < 4; ++j)
      out += i + j > bytes.size() ? '=' : kDigits[group >> (18 - 6 * j) & 63U];
  }
  return out;
}

Result<std::string> base64_decode(std::string_view text) {
  const auto illegal = [](std::size_t at) {
    return Error{Code::InvalidArgument, "illegal base64 data at input byte " + std::to_string(at)};
  };
  std::string out;
  std::uint32_t group = 0;
  unsigned count = 0;
  unsigned padding = 0;
  std::size_t group_begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n' || c == '\r') continue;
    if (count == 0) {
      if (padding > 0) return illegal(i);  // something after the end
      group_begin = i;
    }
    const auto digit = kDigits.find(c);
    if (c == '=' && count >= 2) {
      ++padding;
      group <<= 6;
    } else {
      if (digit == std::string_view::npos || padding > 0) return illegal(i);
      group = group << 6 | static_cast<std::uint32_t>(digit);
    }
    if (++count < 4) continue;
    for (unsigned j = 0; j + padding < 3; ++j) out += static_cast<char>(group >> (16 - 8 * j) & 0xffU);
    group = 0;
    count = 0;
  }
  // What Go says of a text that ends early: where its last group began.
  if (count != 0) return illegal(group_begin);
  return out;
}

}  // namespace berth
