#include "cli/output/units.hpp"

#include "rest-bridge/api/times.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <time.h>

namespace berth::cli {
namespace {

std::string formatted(std::string_view rfc3339, const char* format) {
  const auto microseconds = rest::parse_rfc3339(rfc3339);
  if (!microseconds || *microseconds == 0) return {};
  const auto seconds = static_cast<time_t>(*microseconds / 1'000'000U);
  tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  // The format is one of the two literals below.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  const auto size = ::strftime(text.data(), text.size(), format, &parts);
#pragma GCC diagnostic pop
  return {text.data(), size};
}

}  // namespace

std::string size_text(std::int64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + "B";
  constexpr std::array kUnits{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  auto value = static_cast<double>(bytes) / 1024.0;
  std::size_t unit = 0;
  for (; value >= 1024.0 && unit + 1 < kUnits.size(); ++unit) value /= 1024.0;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2f%s", value, kUnits.at(unit));
  return text.data();
}

std::int64_t size_of_text(std::string_view text) {
  std::int64_t number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end.ec != std::errc{}) return 0;
  const auto unit = text.substr(static_cast<std::size_t>(end.ptr - text.data()));
  if (unit.empty() || unit == "B") return number;
  constexpr std::string_view kLetters = "kMGTPE";
  auto power = kLetters.find(unit.front());
  if (unit.front() == 'K') power = 0;
  if (power == std::string_view::npos) return 0;
  const auto rest = unit.substr(1);
  if (rest != "B" && rest != "iB") return 0;
  for (std::size_t i = 0; i <= power; ++i) number *= rest == "iB" ? 1024 : 1000;
  return number;
}

std::string minute_text(std::string_view rfc3339) { return formatted(rfc3339, "%Y/%m/%d %H:%M UTC"); }

std::string day_text(std::string_view rfc3339) {
  auto text = formatted(rfc3339, "%b %e, %Y at %l:%M%p (UTC)");
  if (text.empty()) return text;
  // `%e` and `%l` pad with a blank, `%p` is in upper case.
  std::string result;
  for (const char c : text)
    if (c != ' ' || (!result.empty() && result.back() != ' ')) result += c;
  for (const std::string_view half : {"AM", "PM"})
    if (const auto at = result.find(half); at != std::string::npos) result.replace(at, 2, half == "AM" ? "am" : "pm");
  return result;
}

}  // namespace berth::cli
