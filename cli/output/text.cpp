#include "cli/output/text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <wchar.h>

namespace berth::cli {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string escaped(char32_t rune, bool valid) {
  if (valid && rune == '\n') return "\\n";
  if (valid && rune == '\r') return "\\r";
  if (valid && rune == '\t') return "\\t";
  std::array<char, 16> text{};
  if (valid && rune > 0xff)
    std::snprintf(text.data(), text.size(), "\\u%04x", static_cast<unsigned>(rune));
  else
    std::snprintf(text.data(), text.size(), "\\x%02x", static_cast<unsigned>(rune));
  return text.data();
}

std::string harmless(std::string_view text, bool keep_lines) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto rune = rune_at(text, at);
    if (rune.valid && (!is_control(rune.value) || (keep_lines && (rune.value == '\n' || rune.value == '\t'))))
      result.append(text.substr(at, rune.size));
    else
      result += escaped(rune.value, rune.valid);
    at += rune.size;
  }
  return result;
}

/// The run of digits at `at`, without its leading zeros.
std::string_view number_at(std::string_view text, std::size_t at) {
  auto end = at;
  while (end < text.size() && is_digit(text[end])) ++end;
  while (at + 1 < end && text[at] == '0') ++at;
  return text.substr(at, end - at);
}

}  // namespace

Rune rune_at(std::string_view text, std::size_t at) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto first = byte(at);
  if (first < 0x80) return {.value = first, .size = 1, .valid = true};
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  const Rune broken{.value = first, .size = 1, .valid = false};
  if (first < 0xc2 || first > 0xf4 || at + size > text.size()) return broken;
  auto value = static_cast<char32_t>(first & (0xffU >> (size + 1)));
  for (std::size_t i = at + 1; i < at + size; ++i) {
    if ((byte(i) & 0xc0U) != 0x80U) return broken;
    value = (value << 6U) | (byte(i) & 0x3fU);
  }
  constexpr std::array<char32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};
  if (value < kLeast.at(size) || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return broken;
  return {.value = value, .size = size, .valid = true};
}

bool is_utf8(std::string_view text) noexcept {
  for (std::size_t at = 0; at < text.size();) {
    const auto rune = rune_at(text, at);
    if (!rune.valid) return false;
    at += rune.size;
  }
  return true;
}

bool is_control(char32_t rune) noexcept {
  return rune < 0x20 || (rune >= 0x7f && rune < 0xa0) || (rune >= 0x200e && rune <= 0x200f) ||
         (rune >= 0x2028 && rune <= 0x202e) || (rune >= 0x2066 && rune <= 0x2069) || rune == 0xfeff;
}

std::string printable(std::string_view text) { return harmless(text, false); }
std::string printable_lines(std::string_view text) { return harmless(text, true); }

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto rune = rune_at(text, at);
    const int cells = rune.valid ? ::wcwidth(static_cast<wchar_t>(rune.value)) : 1;
    width += cells < 0 ? 1 : static_cast<std::size_t>(cells);
    at += rune.size;
  }
  return width;
}

std::string upper(std::string_view text) {
  std::string result(text);
  for (auto& c : result)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return result;
}

bool natural_less(std::string_view a, std::string_view b) {
  std::size_t at = 0;
  while (at < a.size() && at < b.size() && a[at] == b[at]) ++at;
  if (at == a.size() || at == b.size()) return a.size() < b.size();
  // Inside a number: compare the whole of it.
  auto begin = at;
  while (begin > 0 && is_digit(a[begin - 1])) --begin;
  if (begin < a.size() && begin < b.size() && is_digit(a[begin]) && is_digit(b[begin])) {
    const auto left = number_at(a, begin);
    const auto right = number_at(b, begin);
    if (left != right) return left.size() != right.size() ? left.size() < right.size() : left < right;
  }
  return static_cast<unsigned char>(a[at]) < static_cast<unsigned char>(b[at]);
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const auto end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string text;
  for (const auto& part : parts) {
    if (&part != &parts.front()) text += separator;
    text += part;
  }
  return text;
}

}  // namespace berth::cli
