#pragma once

#include "tests/unit/store/store_contract.hpp"

#include <utility>

namespace berth::contract {

/// What every store promises of snapshots.
template <typename Maker>
class AStoreOfSnapshots : public AStore<Maker> {
 protected:
  void SetUp() override {
    AStore<Maker>::SetUp();
    ASSERT_TRUE(this->store().insert_instance(owner_));
  }
  Snapshot make(const std::string& name, std::int64_t created_at, const Uuid& instance) const {
    Snapshot snapshot{.uuid = new_uuid(), .instance = instance, .name = *SnapshotName::parse(name)};
    snapshot.created_at = at(created_at);
    snapshot.architecture = "x86_64";
    snapshot.profiles = {profile_name("gone"), profile_name("default")};
    snapshot.config = {{"user.a", "b"}};
    snapshot.devices = {{"none1", {{"type", "none"}}}};
    return snapshot;
  }
  Snapshot make(const std::string& name, std::int64_t created_at) const { return make(name, created_at, owner_.uuid); }
  std::vector<std::string> names(const std::optional<Uuid>& instance) {
    std::vector<std::string> out;
    const auto rows = this->store().snapshots(instance);
    EXPECT_TRUE(rows);
    if (rows)
      for (const auto& row : *rows) out.push_back(row.name.str());
    return out;
  }
  const Instance owner_ = make_instance("c1");
};

TYPED_TEST_SUITE_P(AStoreOfSnapshots);

TYPED_TEST_P(AStoreOfSnapshots, GivesThemBackAsTheyWerePutInTheOldestFirst) {
  auto late = this->make("a", 30);
  late.expires_at = at(77);
  late.ephemeral = true;
  ASSERT_TRUE(this->store().insert_snapshot(late));
  ASSERT_TRUE(this->store().insert_snapshot(this->make("b", 20)));
  EXPECT_THAT(this->names(this->owner_.uuid), testing::ElementsAre("b", "a"));
  const auto stored = this->store().snapshots(std::nullopt)->back();
  EXPECT_EQ(stored.uuid, late.uuid);
  EXPECT_EQ(stored.instance, late.instance);
  EXPECT_EQ(stored.created_at, late.created_at);
  EXPECT_EQ(stored.expires_at, late.expires_at);
  EXPECT_EQ(stored.architecture, late.architecture);
  EXPECT_EQ(stored.ephemeral, late.ephemeral);
  EXPECT_EQ(stored.profiles, late.profiles);
  EXPECT_EQ(stored.config, late.config);
  EXPECT_EQ(stored.devices, late.devices);
}

TYPED_TEST_P(AStoreOfSnapshots, HasThemFollowARenamedProfile) {
  ASSERT_TRUE(this->store().insert_snapshot(this->make("a", 1)));
  ASSERT_TRUE(this->store().insert_profile(make_profile("web")));
  auto both = this->make("b", 2);
  both.profiles = {profile_name("web"), profile_name("default"), profile_name("web2")};
  ASSERT_TRUE(this->store().insert_snapshot(both));
  ASSERT_TRUE(this->store().rename_profile(default_project(), profile_name("web"), profile_name("www")));
  const auto rows = this->store().snapshots(this->owner_.uuid);
  ASSERT_EQ(rows->size(), 2U);
  EXPECT_EQ(rows->front().profiles, (std::vector{profile_name("gone"), profile_name("default")}));
  EXPECT_EQ(rows->back().profiles, (std::vector{profile_name("www"), profile_name("default"), profile_name("web2")}));
}

TYPED_TEST_P(AStoreOfSnapshots, RefusesASecondOneOfAName) {
  ASSERT_TRUE(this->store().insert_snapshot(this->make("a", 1)));
  EXPECT_EQ(this->store().insert_snapshot(this->make("a", 2)).error().code, Code::AlreadyExists);
  EXPECT_EQ(this->store().insert_snapshot(this->make("a", 2, new_uuid())).error().code, Code::NotFound);
  auto other = this->make("b", 3);
  ASSERT_TRUE(this->store().insert_snapshot(other));
  other.name = *SnapshotName::parse("a");
  EXPECT_EQ(this->store().update_snapshot(other, std::nullopt).error().code, Code::AlreadyExists);
}

TYPED_TEST_P(AStoreOfSnapshots, ChangesNameAndExpiryOfTheRevisionThatIsMeant) {
  auto snapshot = this->make("a", 1);
  ASSERT_TRUE(this->store().insert_snapshot(snapshot));
  snapshot.name = *SnapshotName::parse("z");
  snapshot.expires_at = at(9);
  EXPECT_EQ(*this->store().update_snapshot(snapshot, 1), 2U);
  EXPECT_EQ(this->store().update_snapshot(snapshot, 1).error().code, Code::RevisionMismatch);
  EXPECT_THAT(this->names(this->owner_.uuid), testing::ElementsAre("z"));
  ASSERT_TRUE(this->store().delete_snapshot(snapshot.uuid));
  EXPECT_EQ(this->store().delete_snapshot(snapshot.uuid).error().code, Code::NotFound);
  EXPECT_EQ(this->store().update_snapshot(snapshot, std::nullopt).error().code, Code::NotFound);
}

TYPED_TEST_P(AStoreOfSnapshots, DeletesThemWithTheirInstance) {
  ASSERT_TRUE(this->store().insert_snapshot(this->make("a", 1)));
  ASSERT_TRUE(this->store().delete_instance(this->owner_.uuid));
  EXPECT_THAT(this->names(std::nullopt), testing::IsEmpty());
}

TYPED_TEST_P(AStoreOfSnapshots, PutsInACopyAsAWholeOrNotAtAll) {
  const auto copy = make_instance("copy");
  const auto twin = make_instance("twin");
  ASSERT_TRUE(this->store().insert_instance_with_snapshots(copy, {this->make("a", 1, copy.uuid)}));
  EXPECT_THAT(this->names(copy.uuid), testing::ElementsAre("a"));
  EXPECT_FALSE(this->store().insert_instance_with_snapshots(
      twin, {this->make("a", 1, twin.uuid), this->make("a", 2, twin.uuid)}));
  EXPECT_EQ(this->store().instance_by_uuid(twin.uuid).error().code, Code::NotFound);
  EXPECT_THAT(this->names(twin.uuid), testing::IsEmpty());
}

REGISTER_TYPED_TEST_SUITE_P(AStoreOfSnapshots, HasThemFollowARenamedProfile, GivesThemBackAsTheyWerePutInTheOldestFirst, RefusesASecondOneOfAName,
                            ChangesNameAndExpiryOfTheRevisionThatIsMeant, DeletesThemWithTheirInstance,
                            PutsInACopyAsAWholeOrNotAtAll);

}  // namespace berth::contract
