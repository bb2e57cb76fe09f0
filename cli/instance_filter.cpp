#include "cli/instance_table.hpp"
#include "cli/output/text.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>
#include <regex.h>

namespace berth::cli {
namespace {

/// Whether `text` has the extended regular expression; nothing when it is none.
std::optional<bool> regex_matches(const std::string& pattern, const std::string& text) {
  regex_t compiled{};
  if (::regcomp(&compiled, pattern.c_str(), REG_EXTENDED | REG_NOSUB) != 0) return std::nullopt;
  const bool matches = ::regexec(&compiled, text.c_str(), 0, nullptr, 0) == 0;
  ::regfree(&compiled);
  return matches;
}

bool has_anchor(const std::string& pattern) { return pattern.find_first_of("^$") != std::string::npos; }

/// Whether an address is the one in `wanted`, or in its network (`10.0.0.0/8`).
bool address_matches(int family, const std::string& address, const std::string& wanted) {
  std::array<unsigned char, 16> left{}, right{};
  const auto slash = wanted.find('/');
  if (::inet_pton(family, address.c_str(), left.data()) != 1 ||
      ::inet_pton(family, wanted.substr(0, slash).c_str(), right.data()) != 1)
    return false;
  unsigned bits = family == AF_INET ? 32 : 128;
  if (slash != std::string::npos) std::from_chars(wanted.data() + slash + 1, wanted.data() + wanted.size(), bits);
  for (unsigned bit = 0; bit < std::min(bits, family == AF_INET ? 32U : 128U); ++bit)
    if (((left.at(bit / 8) ^ right.at(bit / 8)) >> (7 - bit % 8)) & 1) return false;
  return true;
}

bool has_address(const Json& instance, const char* family, const std::string& wanted) {
  const auto& networks = child_of(child_of(instance, "state"), "network");
  if (!networks.is_object()) return false;
  for (const auto& [name, network] : networks.items())
    for (const auto& address : child_of(network, "addresses"))
      if (text_of(address, "family") == family &&
          address_matches(std::strcmp(family, "inet") == 0 ? AF_INET : AF_INET6, text_of(address, "address"), wanted))
        return true;
  return false;
}

/// The filters that have a word of their own. Nothing when `key` is none of those.
std::optional<bool> matches_word(const Json& instance, const std::string& key, const std::string& value) {
  const auto any = [&](auto matches) {
    const auto values = split(value, ',');
    return std::any_of(values.begin(), values.end(), matches);
  };
  for (const char* const name : {"type", "status", "architecture", "location"})
    if (key == name) return any([&](const std::string& one) { return upper(one) == upper(text_of(instance, name)); });
  if (key == "ipv4") return any([&](const std::string& one) { return has_address(instance, "inet", one); });
  if (key == "ipv6") return any([&](const std::string& one) { return has_address(instance, "inet6", one); });
  return std::nullopt;
}

bool matches_config(const Json& instance, const std::string& key, const std::string& value) {
  const auto& config = child_of(instance, "expanded_config");
  if (!config.is_object()) return false;
  const auto pattern = has_anchor(value) ? value : '^' + value + '$';
  for (const auto& [name, text] : config.items()) {
    if (!text.is_string() || !matches_abbreviated(key, name)) continue;
    const auto given = text.get<std::string>();
    if (regex_matches(pattern, given).value_or(given == value)) return true;
  }
  return false;
}

bool matches_name(const Json& instance, const std::string& filter) {
  const auto name = text_of(instance, "name");
  const auto pattern = has_anchor(filter) ? filter : '^' + filter + '$';
  return regex_matches(pattern, name).value_or(false) || name.starts_with(filter);
}

}  // namespace

bool matches_abbreviated(std::string_view abbreviation, std::string_view key) {
  const auto parts = split(abbreviation, '.');
  const auto whole = split(key, '.');
  if (parts.size() != whole.size()) return false;
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (!whole[i].starts_with(parts[i])) return false;
  return true;
}

bool is_shown(const std::vector<std::string>& filters, const Json& instance) {
  return std::all_of(filters.begin(), filters.end(), [&](const std::string& filter) {
    const auto equals = filter.find('=');
    if (equals == std::string::npos) return matches_name(instance, filter);
    const auto key = filter.substr(0, equals);
    const auto value = filter.substr(equals + 1);
    return matches_word(instance, key, value).value_or(matches_config(instance, key, value));
  });
}

}  // namespace berth::cli
