#include <gtest/gtest.h>

#include "daemon/domain/idmap.hpp"

namespace berth {
namespace {

TEST(SubordinateIds, ReadEveryRangeOfRootAndPassOverTheRest) {
  const auto ranges = parse_subids("user:100000:65536\nroot:1000000:65536\n0:2000000:10\nroot:x:1\nroot:5\n\nroot:4294967295:2\n", "root", 0);
  ASSERT_EQ(ranges.size(), 2U);
  EXPECT_EQ(ranges[0].start, 1000000U);
  EXPECT_EQ(ranges[1].count, 10U);
}

TEST(AnIdMap, LaysSeveralRangesOneAfterTheOther) {
  const auto map = make_idmap({}, {{1000, 10}, {5000, 20}}, {{1000, 10}}, {});
  ASSERT_TRUE(map);
  ASSERT_EQ(map->entries.size(), 3U);
  EXPECT_EQ(map->entries[1].inside, 10U);
  EXPECT_EQ(map->entries[1].outside, 5000U);
  EXPECT_EQ(map->root_uid(), 1000U);
}

TEST(AnIdMap, FallsBackToAMillionWhenNothingIsDelegated) {
  const auto map = make_idmap({}, {}, {}, {});
  ASSERT_TRUE(map);
  EXPECT_EQ(map->root_uid(), 1000000U);
  EXPECT_EQ(map->entries[0].count, 1000000000U);
}

TEST(AnIdMap, IsEmptyForAPrivilegedContainer) {
  EXPECT_TRUE(make_idmap({.privileged = true}, {{1000, 10}}, {{1000, 10}}, {})->privileged());
}

TEST(AnIsolatedIdMap, TakesTheFirstGapAndNeverOneInUse) {
  const std::vector<IdRange> host{{1000000, 65536 * 4}};
  const auto first = make_idmap({.isolated = true}, host, host, {});
  ASSERT_TRUE(first);
  EXPECT_EQ(first->root_uid(), 1065536U);
  const auto second = make_idmap({.isolated = true}, host, host, {{1065536, 65536}});
  ASSERT_TRUE(second);
  EXPECT_EQ(second->root_uid(), 1131072U);
  const auto none = make_idmap({.isolated = true}, host, host, {{1065536, 65536 * 3}});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::FailedPrecondition);
}

TEST(AnIdMap, SurvivesItsJsonForm) {
  const auto map = make_idmap({.isolated = true, .base = 2000000}, {}, {}, {});
  ASSERT_TRUE(map);
  const auto back = idmap_from_json(idmap_to_json(*map));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, *map);
  EXPECT_TRUE(idmap_from_json("[]")->privileged());
  for (const auto* bad : {"", "{}", "[1]", R"([{"Hostid":-1,"Nsid":0,"Maprange":1}])", R"([{"Hostid":"1"}])"})
    EXPECT_FALSE(idmap_from_json(bad)) << bad;
  const auto odd = idmap_from_json(R"([{"Isuid":"yes","Isgid":1,"Hostid":1,"Nsid":0,"Maprange":1}])");
  ASSERT_TRUE(odd) << "a flag of another type is none, and nothing is thrown";
  EXPECT_TRUE(odd->entries.empty());
}

}  // namespace
}  // namespace berth
