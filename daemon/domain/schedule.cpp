#include "daemon/domain/schedule.hpp"

#include "daemon/domain/words.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>
#include <string>

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

/// `*`, `5`, `1-5`, each perhaps with `/2`.
bool valid_part(std::string_view part, const Field& field) {
  const auto slash = part.find('/');
  if (slash != std::string_view::npos) {
    const auto step = field_number(part.substr(slash + 1), {1, field.high, {}});
    if (!step) return false;
    part = part.substr(0, slash);
  }
  if (part == "*") return true;
  const auto dash = part.find('-');
  const auto first = field_number(part.substr(0, dash), field);
  if (dash == std::string_view::npos) return first.has_value();
  const auto last = field_number(part.substr(dash + 1), field);
  return first && last && *first <= *last;
}

bool valid_field(std::string_view text, const Field& field) {
  const auto parts = split(text, ',');
  return std::all_of(parts.begin(), parts.end(), [&](std::string_view part) { return valid_part(part, field); });
}

bool all_aliases(std::string_view text) {
  const auto words = split(text, ',');
  return std::all_of(words.begin(), words.end(), [](std::string_view word) {
    return std::find(kAliases.begin(), kAliases.end(), trimmed(word)) != kAliases.end();
  });
}

}  // namespace

Result<void> validate_schedule(std::string_view text) {
  if (text.starts_with('@') && all_aliases(text)) return {};
  const auto fields = split(text, ' ');
  bool valid = fields.size() == kFields.size();
  for (std::size_t i = 0; valid && i < fields.size(); ++i) valid = valid_field(fields[i], kFields[i]);
  if (valid) return {};
  return Error{Code::InvalidArgument,
               "Schedule must be of the form: <minute> <hour> <day-of-month> <month> <day-of-week>"};
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
