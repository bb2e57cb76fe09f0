#include "daemon/domain/unit_name.hpp"

#include <array>
#include <cstdint>

namespace berth {
namespace {

constexpr std::size_t kLongestUnit = 255;

std::string hex(std::uint64_t value, int digits) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) text += kDigits[(value >> static_cast<unsigned>(shift)) & 0xfU];
  return text;
}

/// FNV-1a: a short stable name, no secret.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return hash;
}

bool stays(char c, bool first) {
  if (c == '.') return !first;
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':' || c == '_';
}

}  // namespace

std::string escape_unit_part(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '/')
      out += '-';
    else if (stays(c, out.empty()))
      out += c;
    else
      out += "\\x" + hex(static_cast<unsigned char>(c), 2);
  }
  return out;
}

std::string container_unit_name(const ProjectName& project, const InstanceName& name) {
  const std::string whole = project == default_project() ? name.str() : project.str() + "_" + name.str();
  const std::string unit = "berth-container@" + escape_unit_part(whole) + ".service";
  if (unit.size() <= kLongestUnit) return unit;
  return "berth-container@" + hex(hash_of(whole), 16) + ".service";
}

}  // namespace berth
