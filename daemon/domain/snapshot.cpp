#include "daemon/domain/snapshot.hpp"

#include "daemon/domain/words.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <ctime>
#include <iomanip>
#include <optional>
#include <sstream>
#include <utility>

namespace berth {
namespace {

constexpr std::string_view kDefaultPattern = "snap%d";
constexpr std::string_view kNumber = "%d";

/// The elements of Go's time layouts, the longer ones first, and what strftime calls them; `%-` is without a zero before.
constexpr std::array<std::pair<std::string_view, const char*>, 19> kLayout{{{"January", "%B"},
                                                                            {"Monday", "%A"},
                                                                            {"2006", "%Y"},
                                                                            {"-0700", "%z"},
                                                                            {"Jan", "%b"},
                                                                            {"Mon", "%a"},
                                                                            {"MST", "%Z"},
                                                                            {"01", "%m"},
                                                                            {"02", "%d"},
                                                                            {"03", "%I"},
                                                                            {"04", "%M"},
                                                                            {"05", "%S"},
                                                                            {"06", "%y"},
                                                                            {"15", "%H"},
                                                                            {"PM", "%p"},
                                                                            {"1", "%-m"},
                                                                            {"2", "%-d"},
                                                                            {"4", "%-M"},
                                                                            {"5", "%-S"}}};

std::tm local_time(Timestamp time) {
  const std::time_t seconds = std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
  std::tm parts{};
  localtime_r(&seconds, &parts);
  return parts;
}

std::string formatted(const char* format, const std::tm& time) {
  std::ostringstream text;
  text << std::put_time(&time, format);
  return text.str();
}

std::string by_layout(std::string_view layout, const std::tm& time) {
  std::string out;
  while (!layout.empty()) {
    const auto* const element = std::find_if(kLayout.begin(), kLayout.end(),
                                             [&](const auto& known) { return layout.starts_with(known.first); });
    if (element == kLayout.end()) {
      out += layout.front();
      layout.remove_prefix(1);
    } else {
      const std::string_view format = element->second;
      if (format.starts_with("%-")) {
        const auto padded = formatted(("%" + std::string(format.substr(2))).c_str(), time);
        out += padded.starts_with('0') ? padded.substr(1) : padded;
      } else {
        out += formatted(element->second, time);
      }
      layout.remove_prefix(element->first.size());
    }
  }
  return out;
}

Error wrong_pattern(std::string_view pattern) {
  return Error{Code::InvalidArgument,
               "Invalid snapshot pattern \"" + std::string(pattern) +
                   "\": use text, {{ creation_date }}, {{ creation_date|date:'2006-01-02_15-04-05' }} and one %d"};
}

/// What stands between the braces.
std::optional<std::string> rendered(std::string_view expression, const std::tm& time) {
  constexpr std::string_view kVariable = "creation_date";
  expression = trimmed(expression);
  if (!expression.starts_with(kVariable)) return std::nullopt;
  expression = trimmed(expression.substr(kVariable.size()));
  if (expression.empty()) return formatted("%Y-%m-%d_%H-%M-%S", time);
  if (!expression.starts_with('|')) return std::nullopt;
  expression = trimmed(expression.substr(1));
  if (!expression.starts_with("date:") || expression.size() < 7) return std::nullopt;
  expression.remove_prefix(5);
  const char quote = expression.front();
  if ((quote != '\'' && quote != '"') || expression.size() < 2 || expression.back() != quote) return std::nullopt;
  return by_layout(expression.substr(1, expression.size() - 2), time);
}

Result<std::string> rendered_pattern(std::string_view pattern, Timestamp now) {
  const auto time = local_time(now);
  std::string out;
  auto left = pattern;
  while (true) {
    const auto open = left.find("{{");
    out += left.substr(0, open);
    if (open == std::string_view::npos) return out;
    const auto close = left.find("}}", open);
    if (close == std::string_view::npos) return wrong_pattern(pattern);
    const auto text = rendered(left.substr(open + 2, close - open - 2), time);
    if (!text) return wrong_pattern(pattern);
    out += *text;
    left = left.substr(close + 2);
  }
}

/// One more than the highest number that stands between `before` and `after` in a taken name.
std::uint64_t next_number(const std::vector<SnapshotName>& taken, std::string_view before, std::string_view after) {
  std::uint64_t next = 0;
  for (const auto& name : taken) {
    std::string_view text = name.str();
    if (!text.starts_with(before) || !text.ends_with(after) || text.size() <= before.size() + after.size()) continue;
    text = text.substr(before.size(), text.size() - before.size() - after.size());
    std::uint64_t number = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    if (parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size() && number < std::numeric_limits<std::uint64_t>::max())
      next = std::max(next, number + 1);
  }
  return next;
}

}  // namespace

Document snapshot_document(const Snapshot& snapshot, const Expanded& expanded) {
  std::vector<std::string> profiles;
  profiles.reserve(snapshot.profiles.size());
  for (const auto& profile : snapshot.profiles) profiles.push_back(profile.str());
  return Document{{"name", snapshot.name.str()},
                  {"uuid", snapshot.uuid.str()},
                  {"revision", snapshot.revision},
                  {"architecture", snapshot.architecture},
                  {"created_at", to_microseconds(snapshot.created_at)},
                  {"expires_at", to_microseconds(snapshot.expires_at)},
                  {"last_used_at", std::uint64_t{0}},
                  {"ephemeral", snapshot.ephemeral},
                  {"stateful", false},
                  {"profiles", std::move(profiles)},
                  {"config", snapshot.config},
                  {"devices", snapshot.devices},
                  {"expanded_config", expanded.config},
                  {"expanded_devices", expanded.devices},
                  {"size", std::int64_t{-1}}};
}

Result<Timestamp> snapshot_expiry(Timestamp created, std::string_view expiry) {
  if (trimmed(expiry).empty()) return kNever;
  auto end = local_time(created);
  std::chrono::microseconds more = created - std::chrono::floor<std::chrono::seconds>(created);
  for (const auto word : split(trimmed(expiry), ' ')) {
    int count = 0;
    const auto parsed = std::from_chars(word.data(), word.data() + word.size(), count);
    if (parsed.ec != std::errc{} || parsed.ptr + 1 != word.data() + word.size() || count < 0 || count > 1'000'000)
      return Error{Code::InvalidArgument, "Invalid expiry expression"};
    switch (*parsed.ptr) {
      case 'M': more += std::chrono::minutes(count); break;
      case 'H': more += std::chrono::hours(count); break;
      case 'd': end.tm_mday += count; break;
      case 'w': end.tm_mday += 7 * count; break;
      case 'm': end.tm_mon += count; break;
      case 'y': end.tm_year += count; break;
      default: return Error{Code::InvalidArgument, "Invalid expiry expression"};
    }
  }
  end.tm_isdst = -1;
  const auto seconds = std::mktime(&end);
  if (seconds <= 0) return Error{Code::InvalidArgument, "Invalid expiry expression"};
  return Timestamp{std::chrono::seconds{seconds}} + more;
}

Result<SnapshotName> next_snapshot_name(std::string_view pattern, const std::vector<SnapshotName>& taken,
                                        Timestamp now) {
  BERTH_TRY(const auto text, rendered_pattern(pattern.empty() ? kDefaultPattern : pattern, now));
  const auto place = text.find(kNumber);
  if (place == std::string::npos) {
    BERTH_TRY(auto name, SnapshotName::parse(text));
    if (std::find(taken.begin(), taken.end(), name) == taken.end()) return name;
    const auto number = next_number(taken, text + "-", "");
    return SnapshotName::parse(text + "-" + std::to_string(number));
  }
  const auto before = text.substr(0, place);
  const auto after = text.substr(place + kNumber.size());
  if (after.find(kNumber) != std::string::npos)
    return Error{Code::InvalidArgument, "Snapshot pattern may contain '%d' only once"};
  return SnapshotName::parse(before + std::to_string(next_number(taken, before, after)) + after);
}

}  // namespace berth
