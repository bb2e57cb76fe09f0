#include <gtest/gtest.h>

#include "base/names.hpp"

namespace berth {
namespace {

TEST(InstanceNames, AcceptTheHostNamesLxdAccepts) {
  for (const auto* good : {"a", "web", "web-1", "A9", "a23456789012345678901234567890123456789012345678901234567890123"})
    EXPECT_TRUE(InstanceName::parse(good)) << good;
}

TEST(InstanceNames, RefuseWhatIsNoHostName) {
  for (const auto* bad : {"", "1web", "-web", "web-", "we_b", "we/b", "..", "we b", "web\n",
                          "a234567890123456789012345678901234567890123456789012345678901234"})
    EXPECT_FALSE(InstanceName::parse(bad)) << bad;
}

TEST(Names, ARefusalNeverRepeatsAControlCharacter) {
  const auto refused = InstanceName::parse("a\nb\x1b[31m");
  ASSERT_FALSE(refused);
  EXPECT_FALSE(has_control_characters(refused.error().message));
  EXPECT_EQ(refused.error().code, Code::InvalidArgument);
}

TEST(EntityNames, RefuseSlashesDotsAndBlanks) {
  for (const auto* bad : {"", ".", "..", "a/b", "a b", "a\tb"}) EXPECT_FALSE(ProfileName::parse(bad)) << bad;
  EXPECT_TRUE(ProfileName::parse("default"));
  EXPECT_TRUE(ProfileName::parse("web_1.prod"));
}

TEST(Fingerprints, AreSixtyFourLowerCaseHexDigits) {
  EXPECT_TRUE(Fingerprint::parse(std::string(64, 'a')));
  EXPECT_FALSE(Fingerprint::parse(std::string(64, 'A')));
  EXPECT_FALSE(Fingerprint::parse(std::string(63, 'a')));
  EXPECT_FALSE(Fingerprint::parse("../" + std::string(61, 'a')));
}

TEST(Uuids, NewOnesAreValidAndDiffer) {
  const auto one = new_uuid();
  EXPECT_TRUE(Uuid::parse(one.str()));
  EXPECT_NE(one, new_uuid());
  EXPECT_EQ(one.str()[14], '4');
}

}  // namespace
}  // namespace berth
