#pragma once

#include "base/result.hpp"
#include "daemon/domain/types.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string_view>
#include <vector>

namespace berth {

/// When something is to be done, in local time: what `snapshots.schedule` says. `@never`, `@startup` and an empty text
/// are never due.
class Schedule {
 public:
  /// Text as for validate_schedule(). Aliases leave the moment in their hour, day, week... open: `seed` picks it, the
  /// same for the same seed. Errors: InvalidArgument.
  static Result<Schedule> parse(std::string_view text, std::size_t seed);
  /// Whether this minute is one of its.
  bool due(Timestamp minute) const;
  /// The first of its minutes after `after`; nothing when there is none within years.
  std::optional<Timestamp> next(Timestamp after) const;

 private:
  /// A bit for each minute, hour, day of month, month, day of week.
  struct Moments {
    std::array<std::uint64_t, 5> masks{};
    bool any_day = true;  ///< one of the two kinds of day is `*`: both must fit, else one of them
  };
  static bool day_and_hour(const Moments& moments, const std::tm& time);
  std::vector<Moments> moments_;
};

/// Whether `@startup` is one of a schedule's names: a snapshot each time before the instance starts.
bool is_due_at_startup(std::string_view text);

/// Checks a schedule: five fields (minute hour day-of-month month day-of-week), or names as `@daily`, several of them
/// separated by commas. Errors: InvalidArgument `Schedule must be of the form: ...`.
Result<void> validate_schedule(std::string_view text);

/// Checks an expiry: `1w 2d`, each of the units M H d w m y at most once. Errors: InvalidArgument.
Result<void> validate_expiry(std::string_view text);

}  // namespace berth
