#include "daemon/domain/schedule.hpp"

#include "daemon/domain/words.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace berth {
namespace {

constexpr std::array<std::string_view, 12> kMonths{"jan", "feb", "mar", "apr", "may", "jun",
                                                   "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kDays{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr std::array<std::string_view, 9> kAliases{"@never",   "@hourly",   "@daily",  "@midnight", "@weekly",
                                                   "@monthly", "@annually", "@yearly", "@startup"};

/// What one of the five fields may hold. Names stand for `low`, `low + 1`...
struct Field {
  int low;
  int high;
  std::span<const std::string_view> names;
};

const std::array<Field, 5> kFields{{{0, 59, {}}, {0, 23, {}}, {1, 31, {}}, {1, 12, kMonths}, {0, 7, kDays}}};

std::optional<int> field_number(std::string_view text, const Field& field) {
  const auto name = std::find(field.names.begin(), field.names.end(), lower_case(text));
  if (name != field.names.end()) return field.low + static_cast<int>(name - field.names.begin());
  int value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) return std::nullopt;
  if (value < field.low || value > field.high) return std::nullopt;
  return value;
}

std::uint64_t bits(int first, int last, int step) {
  std::uint64_t mask = 0;
  for (int bit = first; bit <= last; bit += step) mask |= std::uint64_t{1} << static_cast<unsigned>(bit);
  return mask;
}

/// The moments of `*`, `5`, `1-5`, each perhaps with `/2`; nothing when it is none of these.
std::optional<std::uint64_t> part_mask(std::string_view part, const Field& field) {
  int step = 1;
  const auto slash = part.find('/');
  if (slash != std::string_view::npos) {
    const auto given = field_number(part.substr(slash + 1), {1, field.high, {}});
    if (!given) return std::nullopt;
    step = *given;
    part = part.substr(0, slash);
  }
  if (part == "*") return bits(field.low, field.high, step);
  const auto dash = part.find('-');
  const auto first = field_number(part.substr(0, dash), field);
  if (!first) return std::nullopt;
  if (dash == std::string_view::npos) return bits(*first, slash == std::string_view::npos ? *first : field.high, step);
  const auto last = field_number(part.substr(dash + 1), field);
  if (!last || *first > *last) return std::nullopt;
  return bits(*first, *last, step);
}

std::optional<std::uint64_t> field_mask(std::string_view text, const Field& field) {
  std::uint64_t mask = 0;
  for (const auto part : split(text, ',')) {
    const auto moments = part_mask(part, field);
    if (!moments) return std::nullopt;
    mask |= *moments;
  }
  return mask;
}

/// What an alias stands for. Where it leaves the moment open, `seed` picks one, so that not all come at once.
std::string alias_fields(std::string_view alias, std::size_t seed) {
  const auto pick = [&seed](std::size_t low, std::size_t count) {
    const auto number = std::to_string(low + seed % count);
    seed /= count;
    return number;
  };
  const auto minute = pick(0, 60);
  if (alias == "@hourly") return minute + " * * * *";
  const auto time = minute + " " + pick(0, 24);
  if (alias == "@daily") return time + " * * *";
  if (alias == "@midnight") return "0 0 * * *";
  if (alias == "@weekly") return time + " * * " + pick(0, 7);
  const auto day = pick(1, 28);
  if (alias == "@monthly") return time + " " + day + " * *";
  if (alias == "@annually" || alias == "@yearly") return time + " " + day + " " + pick(1, 12) + " *";
  return {};  // @never, @startup: no time of the clock
}

bool all_aliases(std::string_view text) {
  const auto words = split(text, ',');
  return std::all_of(words.begin(), words.end(), [](std::string_view word) {
    return std::find(kAliases.begin(), kAliases.end(), trimmed(word)) != kAliases.end();
  });
}

Error wrong_schedule() {
  return Error{Code::InvalidArgument,
               "Schedule must be of the form: <minute> <hour> <day-of-month> <month> <day-of-week>"};
}

bool has(std::uint64_t mask, int bit) { return (mask >> static_cast<unsigned>(bit) & 1U) != 0; }

std::tm local_time(Timestamp time) {
  const std::time_t seconds = std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
  std::tm parts{};
  localtime_r(&seconds, &parts);
  return parts;
}

constexpr auto kFurthest = std::chrono::hours(24 * 366 * 8);  ///< 29 February may be eight years away

}  // namespace

Result<Schedule> Schedule::parse(std::string_view text, std::size_t seed) {
  Schedule schedule;
  std::vector<std::string> specs;
  if (text.starts_with('@') && all_aliases(text)) {
    for (const auto word : split(text, ','))
      if (auto fields = alias_fields(trimmed(word), seed); !fields.empty()) specs.push_back(std::move(fields));
  } else if (!trimmed(text).empty()) {
    specs.emplace_back(text);
  }
  for (const auto& spec : specs) {
    const auto fields = split(spec, ' ');
    Moments moments{};
    bool valid = fields.size() == kFields.size();
    for (std::size_t i = 0; valid && i < fields.size(); ++i) {
      const auto mask = field_mask(fields[i], kFields[i]);
      valid = mask.has_value();
      if (valid) moments.masks[i] = *mask;
    }
    if (!valid) return wrong_schedule();
    if (has(moments.masks[4], 7)) moments.masks[4] |= 1;
    moments.any_day = fields[2].starts_with('*') || fields[4].starts_with('*');
    schedule.moments_.push_back(moments);
  }
  return schedule;
}

bool Schedule::day_and_hour(const Moments& moments, const std::tm& time) {
  const bool day_of_month = has(moments.masks[2], time.tm_mday);
  const bool day_of_week = has(moments.masks[4], time.tm_wday);
  const bool day = moments.any_day ? day_of_month && day_of_week : day_of_month || day_of_week;
  return day && has(moments.masks[3], time.tm_mon + 1) && has(moments.masks[1], time.tm_hour);
}

bool Schedule::due(Timestamp minute) const {
  const auto time = local_time(minute);
  return std::any_of(moments_.begin(), moments_.end(), [&](const Moments& moments) {
    return day_and_hour(moments, time) && has(moments.masks[0], time.tm_min);
  });
}

std::optional<Timestamp> Schedule::next(Timestamp after) const {
  const Timestamp end = after + kFurthest;
  Timestamp minute = std::chrono::floor<std::chrono::minutes>(after) + std::chrono::minutes(1);
  while (!moments_.empty() && minute < end) {
    const auto time = local_time(minute);
    const bool hour = std::any_of(moments_.begin(), moments_.end(),
                                  [&](const Moments& moments) { return day_and_hour(moments, time); });
    if (hour && due(minute)) return minute;
    minute += std::chrono::minutes(hour ? 1 : 60 - time.tm_min);
  }
  return std::nullopt;
}

bool is_due_at_startup(std::string_view text) {
  const auto words = split(text, ',');
  return all_aliases(text) &&
         std::any_of(words.begin(), words.end(), [](std::string_view word) { return trimmed(word) == "@startup"; });
}

Result<void> validate_schedule(std::string_view text) {
  BERTH_TRY(const auto schedule, Schedule::parse(text, 0));
  if (text.empty()) return wrong_schedule();
  return {};
}

Result<void> validate_expiry(std::string_view text) {
  std::string seen;
  for (const auto word : split(text, ' ')) {
    const char unit = word.empty() ? ' ' : word.back();
    const auto digits = word.substr(0, word.empty() ? 0 : word.size() - 1);
    const bool number =
        !digits.empty() && digits.size() < 10 && digits.find_first_not_of("0123456789") == std::string_view::npos;
    if (!number || std::string_view("MHdwmy").find(unit) == std::string_view::npos ||
        seen.find(unit) != std::string::npos)
      return Error{Code::InvalidArgument, "Invalid expiry expression"};
    seen += unit;
  }
  return {};
}

}  // namespace berth
