#include "daemon/domain/size.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <span>

namespace berth {
namespace {

struct Suffix {
  std::string_view text;
  std::uint64_t factor;
};

constexpr std::uint64_t power(std::uint64_t base, int exponent) {
  std::uint64_t value = 1;
  for (int i = 0; i < exponent; ++i) value *= base;
  return value;
}

constexpr std::array<Suffix, 15> kByteSuffixes{{
    {"", 1},
    {"B", 1},
    {" bytes", 1},
    {"kB", power(1000, 1)},
    {"MB", power(1000, 2)},
    {"GB", power(1000, 3)},
    {"TB", power(1000, 4)},
    {"PB", power(1000, 5)},
    {"EB", power(1000, 6)},
    {"KiB", power(1024, 1)},
    {"MiB", power(1024, 2)},
    {"GiB", power(1024, 3)},
    {"TiB", power(1024, 4)},
    {"PiB", power(1024, 5)},
    {"EiB", power(1024, 6)},
}};

constexpr std::array<Suffix, 14> kBitSuffixes{{
    {"", 1},
    {"bit", 1},
    {"kbit", power(1000, 1)},
    {"Mbit", power(1000, 2)},
    {"Gbit", power(1000, 3)},
    {"Tbit", power(1000, 4)},
    {"Pbit", power(1000, 5)},
    {"Ebit", power(1000, 6)},
    {"Kibit", power(1024, 1)},
    {"Mibit", power(1024, 2)},
    {"Gibit", power(1024, 3)},
    {"Tibit", power(1024, 4)},
    {"Pibit", power(1024, 5)},
    {"Eibit", power(1024, 6)},
}};

/// Sizes are signed 64-bit numbers in the API's own programs, so no larger one is made.
constexpr std::uint64_t kLargest = INT64_MAX;

Result<std::uint64_t> parse(std::string_view text, std::span<const Suffix> suffixes) {
  if (text.empty()) return 0U;
  const auto digits = text.substr(0, text.find_first_not_of("0123456789"));
  const auto suffix = text.substr(digits.size());
  const Suffix* found = nullptr;
  for (const auto& row : suffixes)
    if (row.text == suffix) found = &row;
  if (digits.empty() || found == nullptr) return Error{Code::InvalidArgument, "Invalid value: " + std::string(text)};
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (parsed.ec != std::errc{} || number > kLargest / found->factor)
    return Error{Code::InvalidArgument, "Invalid integer: " + std::string(text)};
  return number * found->factor;
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) { return parse(text, kByteSuffixes); }
Result<std::uint64_t> parse_bits(std::string_view text) { return parse(text, kBitSuffixes); }

std::string format_size(std::uint64_t bytes) {
  if (bytes < 1000) return std::to_string(bytes) + "B";
  constexpr std::array<const char*, 6> kUnits{"kB", "MB", "GB", "TB", "PB", "EB"};
  double value = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  while (value >= 1000 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2f%s", value, kUnits[unit]);
  return text.data();
}

}  // namespace berth
