#include "daemon/domain/value_types.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace berth {
namespace {

std::string refusal(ValueType type, std::string_view value, std::string_view choices = {}) {
  const auto valid = validate_value(type, value, choices);
  if (valid) return "accepted";
  EXPECT_EQ(valid.error().code, Code::InvalidArgument);
  return valid.error().message;
}

TEST(AnEmptyValue, IsAcceptedByEveryType) {
  for (int type = 0; type <= static_cast<int>(ValueType::RawLxc); ++type)
    EXPECT_TRUE(validate_value(static_cast<ValueType>(type), "")) << type;
}

TEST(ABoolean, IsOneOfEightWordsInAnyCase) {
  for (const auto* text : {"true", "FALSE", "yes", "No", "1", "0", "On", "off"})
    EXPECT_TRUE(validate_value(ValueType::Bool, text)) << text;
  EXPECT_EQ(refusal(ValueType::Bool, "maybe"), "Invalid value for a boolean \"maybe\"");
  for (const auto* text : {"true", "YES", "1", "on"}) EXPECT_TRUE(is_true(text)) << text;
  for (const auto* text : {"", "false", "0", "tru", "2"}) EXPECT_FALSE(is_true(text)) << text;
}

TEST(ANumber, StaysInTheRangeOfItsType) {
  EXPECT_TRUE(validate_value(ValueType::Int, "-9223372036854775808"));
  EXPECT_EQ(refusal(ValueType::Int, "9223372036854775808"), "Invalid value for an integer: 9223372036854775808");
  EXPECT_NE(refusal(ValueType::Int, "5 "), "accepted");
  EXPECT_NE(refusal(ValueType::Int, "+5"), "accepted");
  EXPECT_TRUE(validate_value(ValueType::Uint8, "255"));
  EXPECT_NE(refusal(ValueType::Uint8, "256"), "accepted");
  EXPECT_TRUE(validate_value(ValueType::Uint32, "4294967295"));
  EXPECT_NE(refusal(ValueType::Uint32, "-1"), "accepted");
  EXPECT_TRUE(validate_value(ValueType::Priority, "10"));
  EXPECT_EQ(refusal(ValueType::Priority, "11"), "Invalid value for a limit '11'. Must be between 0 and 10");
}

TEST(AChoice, IsWrittenAsItStandsInTheList) {
  EXPECT_TRUE(validate_value(ValueType::OneOf, "hard", "soft|hard"));
  EXPECT_EQ(refusal(ValueType::OneOf, "Hard", "soft|hard"), "Invalid value: Hard (not one of [soft hard])");
  EXPECT_NE(refusal(ValueType::OneOf, "soft|hard", "soft|hard"), "accepted");
}

/// Type, what it takes, what it refuses.
struct Row {
  ValueType type;
  std::vector<const char*> good;
  std::vector<const char*> bad;
};

TEST(ALimit, HasTheFormOfItsType) {
  const std::vector<Row> rows{
      {ValueType::MemoryLimit, {"64MiB", "50%", "1000"}, {"lots", "%", "0%", "-5%", "1.5GB", "x%"}},
      {ValueType::CpuSet, {"4", "0-3", "1,3-5", "1-1"}, {"-1", "1-", ",1", "3-1", "a", "1,,2", "1-2-3"}},
      {ValueType::CpuAllowance, {"50%", "25ms/100ms"}, {"0%", "50", "25ms", "0ms/5ms", "5ms/0ms", "25/100", "-5%"}},
      {ValueType::KernelLimit, {"1024:2048", "unlimited", "5:unlimited"}, {"a", "1:2:3", ":", "-1"}},
      {ValueType::Cron,
       {"0 6 * * *", "*/5 1-3,7 * jan mon-fri", "@daily", "@hourly, @weekly"},
       {"0 6 * *", "60 * * * *", "* * * * *  ", "5-1 * * * *", "@sometimes", "*/0 * * * *", "a b c d e"}},
      {ValueType::Expiry, {"1w", "1M 2H 3d 4w 5m 6y"}, {"1", "w", "1w 2w", "1x", "1w  2d", "-1d", "99999999999d"}},
      {ValueType::RawIdMap,
       {"both 1000 1000", "uid 50-60 500-510\ngid 5 5\n", "# note\n"},
       {"both 1000", "all 1 1", "uid 1-2 1", "uid a b", "uid 2-1 2-1", "uid 1 1 1"}},
      {ValueType::IdMapJson, {"[]"}, {"x", "{}"}},
  };
  for (const auto& [type, good, bad] : rows) {
    for (const auto* text : good) EXPECT_EQ(refusal(type, text), "accepted") << text;
    for (const auto* text : bad) EXPECT_NE(refusal(type, text), "accepted") << text;
  }
}

TEST(RawLxc, LeavesTheKeysThatBerthOwnsAlone) {
  EXPECT_TRUE(
      validate_value(ValueType::RawLxc, "lxc.mount.auto = cgroup\n# note\nlxc.net.0.ipv4.address = 10.0.0.2/24"));
  for (const auto* text :
       {"lxc.log.file = /etc/passwd", " LXC.Log.File=/x", "lxc.prlimit.nofile = 5", "lxc.ephemeral=1",
        "lxc.net.0.link = eth0", "lxc.net.x.ipv4.address = 1", "lxc.network.type = phys", "no equals", "= 5"})
    EXPECT_NE(refusal(ValueType::RawLxc, text), "accepted") << text;
}

TEST(Rule7ControlCharacters, AreRefusedInEveryValueExceptLineEndsWhereLinesAreMeant) {
  for (const auto type : {ValueType::Line, ValueType::Text, ValueType::Blob, ValueType::RawLxc, ValueType::RawIdMap})
    for (const auto* text : {"a\x1b[2J", "a\x01", "a\x7f"}) EXPECT_NE(refusal(type, text), "accepted");
  EXPECT_NE(refusal(ValueType::Line, std::string_view("a\0b", 3)), "accepted");
  EXPECT_NE(refusal(ValueType::Line, "a\nlxc.hook.pre-start = /bin/sh"), "accepted");
  EXPECT_NE(refusal(ValueType::Bool, "true\n"), "accepted");
  EXPECT_TRUE(validate_value(ValueType::Text, "#cloud-config\r\n\tpackages:\n"));
  EXPECT_TRUE(validate_value(ValueType::Blob, "2\nallowlist\n"));
  EXPECT_NE(refusal(ValueType::Blob, "a\r\n"), "accepted");
}

}  // namespace
}  // namespace berth
