#include "daemon/helpers/member_path.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::helpers {
namespace {

using ::testing::HasSubstr;

TEST(MemberPath, IsTheNameWithoutWhatMeansNothing) {
  EXPECT_EQ(*member_path("rootfs/etc/passwd"), "rootfs/etc/passwd");
  EXPECT_EQ(*member_path("./rootfs//etc/./passwd/"), "rootfs/etc/passwd");
  EXPECT_EQ(*member_path(""), "");
  EXPECT_EQ(*member_path("."), "");
  EXPECT_EQ(*member_path("./"), "");
  EXPECT_EQ(*member_path("..."), "...");
  EXPECT_EQ(*member_path("a/..b/c.."), "a/..b/c..");
}

TEST(MemberPath, IsRefusedWhenItIsAbsoluteOrLeadsUp) {  // rule 3
  for (const auto* name : {"/", "/etc/passwd", "//etc", "..", "../x", "a/..", "a/../b", "./..", "a/./../../b"}) {
    const auto path = member_path(name);
    ASSERT_FALSE(path) << name;
    EXPECT_EQ(path.error().code, Code::InvalidArgument) << name;
    EXPECT_THAT(path.error().message, HasSubstr("member")) << name;
  }
}

TEST(MemberPath, HasBounds) {  // rule 20
  EXPECT_TRUE(member_path(std::string(255, 'a')));
  EXPECT_FALSE(member_path(std::string(256, 'a')));
  std::string deep;
  for (std::size_t i = 0; i < kMaxPathDepth; ++i) deep += "d/";
  EXPECT_TRUE(member_path(deep));
  EXPECT_FALSE(member_path(deep + "d"));
  std::string longest;
  while (longest.size() < kMaxPathLength) longest += std::string(200, 'n') + "/";
  EXPECT_TRUE(member_path(longest.substr(0, kMaxPathLength)));
  EXPECT_FALSE(member_path(longest + std::string(200, 'n')));
}

TEST(MemberPath, ThatIsRefusedIsShownWithoutItsControlCharacters) {  // rule 7
  const auto path = member_path("/evil\x1b[2J\nname");
  ASSERT_FALSE(path);
  EXPECT_EQ(path.error().message.find('\x1b'), std::string::npos);
  EXPECT_EQ(path.error().message.find('\n'), std::string::npos);
}

TEST(SplitPath, PutsWhatStandsAtTheTopBelowNothing) {
  EXPECT_EQ(split_path("a").parent, "");
  EXPECT_EQ(split_path("a").name, "a");
  EXPECT_EQ(split_path("a/b/c").parent, "a/b");
  EXPECT_EQ(split_path("a/b/c").name, "c");
}

}  // namespace
}  // namespace berth::helpers
