#include <gtest/gtest.h>

#include <cerrno>

#include "base/result.hpp"

namespace berth {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return Error{Code::InvalidArgument, "odd"};
  return number / 2;
}

Result<int> quarter(int number) {
  BERTH_TRY(const int first, half(number));
  BERTH_TRY(const int second, half(first));
  return second;
}

TEST(ErrorTable, HasOneRowForEachCodeAndRoundTrips) {
  for (const auto& row : kErrorTable) {
    EXPECT_EQ(code_from_dbus(row.dbus_name), row.code);
    EXPECT_EQ(error_row(row.code).dbus_name, row.dbus_name);
  }
  EXPECT_EQ(code_from_dbus("org.freedesktop.DBus.Error.NoReply", Code::Unavailable), Code::Unavailable);
}

TEST(Results, PassAnErrorOutOfTheEnclosingFunction) {
  EXPECT_EQ(*quarter(8), 2);
  ASSERT_FALSE(quarter(6));
  EXPECT_EQ(quarter(6).error().message, "odd");
}

TEST(Errors, GainContextOnTheWayUp) {
  EXPECT_EQ((Error{Code::NotFound, "gone"}.within("instance web").message), "instance web: gone");
  EXPECT_EQ(system_error("open /x", ENOENT).message, "open /x: No such file or directory");
}

}  // namespace
}  // namespace berth
