#include "daemon/services/instance_texts.hpp"

#include "tests/unit/services/services_fixture.hpp"

namespace berth::services {
namespace {

class TextsOfInstances : public ServicesTest {
 protected:
  Instance add(const std::string& name) {
    Instance row{.uuid = new_uuid(), .project = default_project(), .name = instance_name(name), .pool = pool_name("default")};
    EXPECT_TRUE(store_.insert_instance(row));
    return row;
  }
  InstanceTexts::Text read(const Uuid& uuid) {
    InstanceTexts::Reading reading(texts_);
    const auto rows = store_.instance_summaries(kRoot, std::nullopt);
    for (const auto& row : *rows)
      if (row.uuid == uuid) return *reading.members_of(row);
    return nullptr;
  }
  InstanceTexts texts_{store_};
};

TEST_F(TextsOfInstances, AreKeptUntilTheInstanceChanges) {
  const auto row = add("c1");
  const auto first = read(row.uuid);
  EXPECT_EQ(read(row.uuid), first);
  ASSERT_TRUE(store_.set_instance_volatile(row.uuid, {{"volatile.x", "1"}}));
  EXPECT_NE(read(row.uuid), first);
}

TEST_F(TextsOfInstances, AreForgottenWhenTheInstancesAreGone) {
  const auto stays = add("stays");
  const auto kept = read(stays.uuid);
  for (int i = 0; i < 500; ++i) {
    const auto row = add("c" + std::to_string(i));
    (void)read(row.uuid);
    ASSERT_TRUE(store_.delete_instance(row.uuid));
  }
  EXPECT_LT(texts_.kept(), 100U) << "one of 501 is there";
  EXPECT_EQ(read(stays.uuid), kept) << "what is there is kept on";
}

}  // namespace
}  // namespace berth::services
