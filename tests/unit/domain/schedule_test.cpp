#include "daemon/domain/schedule.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth {
namespace {

/// A local time, whatever the zone of the machine.
Timestamp local(int year, int month, int day, int hour, int minute) {
  std::tm parts{};
  parts.tm_year = year - 1900;
  parts.tm_mon = month - 1;
  parts.tm_mday = day;
  parts.tm_hour = hour;
  parts.tm_min = minute;
  parts.tm_isdst = -1;
  return Timestamp{std::chrono::seconds{std::mktime(&parts)}};
}

Timestamp next(const std::string& text, Timestamp after) {
  const auto schedule = Schedule::parse(text, 0);
  EXPECT_TRUE(schedule) << text;
  return schedule->next(after).value_or(kNever);
}

TEST(ASchedule, FindsItsNextMinute) {
  const auto monday = local(2026, 3, 9, 7, 5);
  EXPECT_EQ(next("* * * * *", monday), local(2026, 3, 9, 7, 6));
  EXPECT_EQ(next("*/15 * * * *", monday), local(2026, 3, 9, 7, 15));
  EXPECT_EQ(next("5 7 * * *", monday), local(2026, 3, 10, 7, 5));
  EXPECT_EQ(next("0 3 * * sun", monday), local(2026, 3, 15, 3, 0));
  EXPECT_EQ(next("0 3 * * 7", monday), local(2026, 3, 15, 3, 0));
  EXPECT_EQ(next("30 12 1 jan *", monday), local(2027, 1, 1, 12, 30));
  EXPECT_EQ(next("0 0 29 2 *", monday), local(2028, 2, 29, 0, 0));
  EXPECT_EQ(next("0 0 30 2 *", monday), kNever);
}

TEST(ASchedule, TakesEitherDayWhenBothAreNamed) {
  EXPECT_EQ(next("0 0 20 * fri", local(2026, 3, 9, 7, 5)), local(2026, 3, 13, 0, 0));
  EXPECT_EQ(next("0 0 11 * fri", local(2026, 3, 9, 7, 5)), local(2026, 3, 11, 0, 0));
}

TEST(ASchedule, IsDueInItsMinuteAlone) {
  const auto schedule = *Schedule::parse("5 7 * * *", 0);
  EXPECT_TRUE(schedule.due(local(2026, 3, 9, 7, 5)));
  EXPECT_FALSE(schedule.due(local(2026, 3, 9, 7, 6)));
}

TEST(ASchedule, KnowsAliasesAndSpreadsThem) {
  const auto start = local(2026, 3, 9, 7, 5);
  EXPECT_EQ(next("@midnight", start), local(2026, 3, 10, 0, 0));
  EXPECT_EQ(next("@never", start), kNever);
  EXPECT_EQ(next("@startup", start), kNever);
  const auto first = Schedule::parse("@daily, @hourly", 17)->next(start);
  const auto again = Schedule::parse("@daily, @hourly", 17)->next(start);
  ASSERT_TRUE(first);
  EXPECT_EQ(*first, *again);
  EXPECT_LE(*first, start + std::chrono::hours(1));
  EXPECT_NE(*first, *Schedule::parse("@daily, @hourly", 18)->next(start));
}

}  // namespace
}  // namespace berth
