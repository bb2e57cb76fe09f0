#include "daemon/domain/snapshot.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>

namespace berth {
namespace {

using testing::HasSubstr;

std::vector<SnapshotName> names(const std::vector<std::string>& texts) {
  std::vector<SnapshotName> out;
  for (const auto& text : texts) out.push_back(*SnapshotName::parse(text));
  return out;
}

/// A local time of day, whatever the zone of the machine.
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

std::string next(const std::string& pattern, const std::vector<std::string>& taken) {
  const auto name = next_snapshot_name(pattern, names(taken), local(2026, 3, 9, 7, 5));
  return name ? name->str() : "error: " + name.error().message;
}

TEST(ASnapshotsName, IsTheNextNumberByDefault) {
  EXPECT_EQ(next("", {}), "snap0");
  EXPECT_EQ(next("", {"snap0", "snap7", "other", "snap", "snap1x"}), "snap8");
}

TEST(ASnapshotsName, FollowsThePattern) {
  EXPECT_EQ(next("auto-%d-x", {"auto-4-x", "auto-9"}), "auto-5-x");
  EXPECT_EQ(next("{{ creation_date|date:'2006-01-02_15-04-05' }}", {}), "2026-03-09_07-05-00");
  EXPECT_EQ(next("d-{{creation_date | date:\"20060102\"}}-%d", {}), "d-20260309-0");
  EXPECT_EQ(next("{{ creation_date }}", {}), "2026-03-09_07-05-00");
}

TEST(ASnapshotsName, GetsANumberWhenAFixedOneIsTaken) {
  EXPECT_EQ(next("daily", {}), "daily");
  EXPECT_EQ(next("daily", {"daily"}), "daily-0");
  EXPECT_EQ(next("daily", {"daily", "daily-0"}), "daily-1");
}

TEST(ASnapshotsName, RefusesAPatternThatMakesNone) {
  EXPECT_THAT(next("%d%d", {}), HasSubstr("only once"));
  EXPECT_THAT(next("{{ nonsense }}", {}), HasSubstr("Invalid snapshot pattern"));
  EXPECT_THAT(next("{{ creation_date", {}), HasSubstr("Invalid snapshot pattern"));
  EXPECT_THAT(next("a/b", {}), HasSubstr("error"));
}

TEST(ASnapshotsExpiry, IsCountedOnTheCalendar) {
  const auto start = local(2026, 1, 31, 10, 0);
  EXPECT_EQ(*snapshot_expiry(start, ""), kNever);
  EXPECT_EQ(*snapshot_expiry(start, "5M"), start + std::chrono::minutes(5));
  EXPECT_EQ(*snapshot_expiry(start, "1w 2d 3H"), local(2026, 2, 9, 13, 0));
  EXPECT_EQ(*snapshot_expiry(start, "1y"), local(2027, 1, 31, 10, 0));
  EXPECT_EQ(snapshot_expiry(start, "soon").error().code, Code::InvalidArgument);
}

}  // namespace
}  // namespace berth
