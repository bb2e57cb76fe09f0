#include "daemon/domain/unit_name.hpp"

#include <array>
#include <charconv>
#include <cstdint>

namespace berth {
namespace {

constexpr std::size_t kLongestUnit = 255;
constexpr std::string_view kPrefix = "berth-container@";
constexpr std::string_view kSuffix = ".service";

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

/// What escape_unit_part() made, for text of one-byte escapes; anything else comes out as something no name is.
std::string unescaped(std::string_view part) {
  std::string out;
  while (!part.empty()) {
    unsigned value = 0;
    if (part.starts_with("\\x") && part.size() >= 4 &&
        std::from_chars(part.data() + 2, part.data() + 4, value, 16).ptr == part.data() + 4) {
      out += static_cast<char>(value);
      part.remove_prefix(4);
    } else {
      out += part.front() == '-' ? '/' : part.front();
      part.remove_prefix(1);
    }
  }
  return out;
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

std::optional<std::pair<ProjectName, InstanceName>> container_of_unit(std::string_view unit) {
  if (!unit.starts_with(kPrefix) || !unit.ends_with(kSuffix) || unit.size() <= kPrefix.size() + kSuffix.size()) return std::nullopt;
  const auto whole = unescaped(unit.substr(kPrefix.size(), unit.size() - kPrefix.size() - kSuffix.size()));
  // No instance's name has a '_'.
  const auto split = whole.rfind('_');
  auto project = split == std::string::npos ? Result<ProjectName>(default_project()) : ProjectName::parse(whole.substr(0, split));
  auto name = InstanceName::parse(split == std::string::npos ? whole : whole.substr(split + 1));
  if (!project || !name || container_unit_name(*project, *name) != unit) return std::nullopt;
  return std::pair(*std::move(project), *std::move(name));
}

std::string container_unit_name(const ProjectName& project, const InstanceName& name) {
  const std::string whole = project == default_project() ? name.str() : project.str() + "_" + name.str();
  const std::string unit = std::string(kPrefix) + escape_unit_part(whole) + std::string(kSuffix);
  if (unit.size() <= kLongestUnit) return unit;
  return std::string(kPrefix) + hex(hash_of(whole), 16) + std::string(kSuffix);
}

}  // namespace berth
