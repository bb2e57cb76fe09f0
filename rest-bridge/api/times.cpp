#include "rest-bridge/api/times.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>

namespace berth::rest {
namespace {

/// Reads exactly `digits` digits from the front of `text`.
std::optional<int> number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + digits, value);
  if (error != std::errc() || end != text.data() + digits || text.front() == '-') return std::nullopt;
  text.remove_prefix(digits);
  return value;
}

bool skip(std::string_view& text, char expected) {
  if (text.empty() || text.front() != expected) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::string rfc3339(std::uint64_t microseconds, Unset unset) {
  if (microseconds == 0) return unset == Unset::UnixZero ? "1970-01-01T00:00:00Z" : "0001-01-01T00:00:00Z";
  using namespace std::chrono;
  const sys_time<std::chrono::microseconds> time{std::chrono::microseconds(static_cast<std::int64_t>(microseconds))};
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{floor<seconds>(time - day)};
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02ld:%02ld:%02ld", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<long>(clock.hours().count()), static_cast<long>(clock.minutes().count()),
                static_cast<long>(clock.seconds().count()));
  std::string result = text.data();
  if (const auto fraction = microseconds % 1'000'000U; fraction != 0) {
    std::snprintf(text.data(), text.size(), ".%06llu", static_cast<unsigned long long>(fraction));
    std::string decimals = text.data();
    decimals.erase(decimals.find_last_not_of('0') + 1);
    result += decimals;
  }
  return result + 'Z';
}

std::optional<std::uint64_t> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  const auto year_number = number(text, 4);
  if (!year_number || !skip(text, '-')) return std::nullopt;
  const auto month_number = number(text, 2);
  if (!month_number || !skip(text, '-')) return std::nullopt;
  const auto day_number = number(text, 2);
  if (!day_number || (!skip(text, 'T') && !skip(text, 't'))) return std::nullopt;
  const auto hour = number(text, 2);
  if (!hour || !skip(text, ':')) return std::nullopt;
  const auto minute = number(text, 2);
  if (!minute || !skip(text, ':')) return std::nullopt;
  const auto second = number(text, 2);
  if (!second) return std::nullopt;

  std::int64_t fraction = 0;
  if (skip(text, '.')) {
    std::size_t digits = 0;
    std::int64_t unit = 100'000;
    while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
      fraction += (text[digits] - '0') * unit;
      unit /= 10;
      ++digits;
    }
    if (digits == 0) return std::nullopt;
    text.remove_prefix(digits);
  }

  std::int64_t offset = 0;
  if (!skip(text, 'Z') && !skip(text, 'z')) {
    const bool west = !text.empty() && text.front() == '-';
    if (!skip(text, '+') && !skip(text, '-')) return std::nullopt;
    const auto hours_off = number(text, 2);
    if (!hours_off || !skip(text, ':')) return std::nullopt;
    const auto minutes_off = number(text, 2);
    if (!minutes_off) return std::nullopt;
    offset = (*hours_off * 60 + *minutes_off) * 60 * (west ? -1 : 1);
  }
  const year_month_day date{year(*year_number), month(static_cast<unsigned>(*month_number)),
                            day(static_cast<unsigned>(*day_number))};
  if (!text.empty() || !date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  const std::int64_t seconds_since = sys_days(date).time_since_epoch().count() * 86'400LL + *hour * 3'600 +
                                     *minute * 60 + *second - offset;
  if (seconds_since < 0) return 0;
  return static_cast<std::uint64_t>(seconds_since * 1'000'000 + fraction);
}

}  // namespace berth::rest
