#include "base/names.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>

namespace berth {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return kHexDigits.find(c) != std::string_view::npos; }

/// Quotes a name for a message; control characters become '?', and what is too long is cut.
std::string shown(std::string_view text) {
  std::string out = "'";
  for (const char c : text.substr(0, 80)) out += (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) ? '?' : c;
  return out + (text.size() > 80 ? "...'" : "'");
}

Error invalid(std::string_view kind, std::string_view text, std::string_view rule) {
  return Error{Code::InvalidArgument,
               "Invalid " + std::string(kind) + " " + shown(text) + ": " + std::string(rule)};
}

}  // namespace

bool has_control_characters(std::string_view text) noexcept {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

Result<void> InstanceNameRule::check(std::string_view text) {
  if (text.empty() || text.size() > 63) return invalid("instance name", text, "it must have 1 to 63 characters");
  if (!is_letter(text.front())) return invalid("instance name", text, "it must start with a letter");
  if (text.back() == '-') return invalid("instance name", text, "it must not end with '-'");
  if (!std::all_of(text.begin(), text.end(), [](char c) { return is_letter(c) || is_digit(c) || c == '-'; }))
    return invalid("instance name", text, "only letters, digits and '-' are allowed");
  return {};
}

Result<void> ProjectNameRule::check(std::string_view text) {
  if (text.empty() || text.size() > 63) return invalid("project name", text, "it must have 1 to 63 characters");
  if (text.front() == '-') return invalid("project name", text, "it must not start with '-'");
  if (!std::all_of(text.begin(), text.end(), [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_'; }))
    return invalid("project name", text, "only letters, digits, '-' and '_' are allowed");
  return {};
}

Result<void> EntityNameRule::check(std::string_view text) {
  if (text.empty() || text.size() > 63) return invalid("name", text, "it must have 1 to 63 characters");
  if (text == "." || text == "..") return invalid("name", text, "'.' and '..' are reserved");
  if (has_control_characters(text) || text.find_first_of("/ ") != std::string_view::npos)
    return invalid("name", text, "'/', blanks and control characters are not allowed");
  return {};
}

Result<void> FingerprintRule::check(std::string_view text) {
  if (text.size() != 64 || !std::all_of(text.begin(), text.end(), is_hex))
    return invalid("fingerprint", text, "it must be 64 lower-case hexadecimal digits");
  return {};
}

Result<void> AliasRule::check(std::string_view text) {
  if (text.empty() || text.size() > 255) return invalid("alias", text, "it must have 1 to 255 characters");
  if (text == "." || text == ".." || has_control_characters(text))
    return invalid("alias", text, "'.', '..' and control characters are not allowed");
  return {};
}

Result<void> UuidRule::check(std::string_view text) {
  bool ok = text.size() == 36;
  for (std::size_t i = 0; ok && i < text.size(); ++i)
    ok = (i == 8 || i == 13 || i == 18 || i == 23) ? text[i] == '-' : is_hex(text[i]);
  if (!ok) return invalid("UUID", text, "it must have the form 01234567-89ab-cdef-0123-456789abcdef");
  return {};
}

Uuid new_uuid() {
  std::array<std::uint8_t, 16> bytes{};
  // The kernel's generator cannot fail once it is seeded, which it is long before any service starts.
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) std::abort();
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += kHexDigits[bytes[i] >> 4];
    text += kHexDigits[bytes[i] & 0x0f];
  }
  return *Uuid::parse(text);
}

const ProjectName& default_project() {
  static const ProjectName name = *ProjectName::parse("default");
  return name;
}

}  // namespace berth
