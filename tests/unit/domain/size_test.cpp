#include "daemon/domain/size.hpp"

#include <gtest/gtest.h>

namespace berth {
namespace {

TEST(ASize, CountsInThousandsOrInPowersOfTwo) {
  EXPECT_EQ(*parse_size(""), 0U);
  EXPECT_EQ(*parse_size("17"), 17U);
  EXPECT_EQ(*parse_size("17B"), 17U);
  EXPECT_EQ(*parse_size("17 bytes"), 17U);
  EXPECT_EQ(*parse_size("2kB"), 2000U);
  EXPECT_EQ(*parse_size("2KiB"), 2048U);
  EXPECT_EQ(*parse_size("10GB"), 10'000'000'000U);
  EXPECT_EQ(*parse_size("1EiB"), 1ULL << 60U);
  EXPECT_EQ(*parse_bits("1Mbit"), 1'000'000U);
  EXPECT_EQ(*parse_bits("1Kibit"), 1024U);
}

TEST(ASize, IsRefusedInAnyOtherForm) {
  for (const auto* text : {"lots", "1 GB", "1.5GB", "-1", "GB", "1gb", "1GBx", " 1", "0x10"}) {
    const auto size = parse_size(text);
    ASSERT_FALSE(size) << text;
    EXPECT_EQ(size.error().message, std::string("Invalid value: ") + text);
  }
  EXPECT_FALSE(parse_bits("1GB"));
}

TEST(ASize, IsRefusedWhenItDoesNotFit) {
  EXPECT_TRUE(parse_size("9223372036854775807"));
  for (const auto* text : {"9223372036854775808", "99999999999999999999999", "8EiB", "10000PB"}) {
    const auto size = parse_size(text);
    ASSERT_FALSE(size) << text;
    EXPECT_EQ(size.error().message, std::string("Invalid integer: ") + text);
  }
}

TEST(ASize, IsShownInDecimalUnits) {
  EXPECT_EQ(format_size(0), "0B");
  EXPECT_EQ(format_size(999), "999B");
  EXPECT_EQ(format_size(1000), "1.00kB");
  EXPECT_EQ(format_size(1'036'806), "1.04MB");
  EXPECT_EQ(format_size(UINT64_MAX), "18.45EB");
}

}  // namespace
}  // namespace berth
