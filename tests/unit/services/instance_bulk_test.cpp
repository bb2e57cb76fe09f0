#include "daemon/services/instance_bulk.hpp"

#include "tests/unit/services/services_fixture.hpp"

namespace berth::services {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ABulkChange : public ServicesTest {
 protected:
  Result<OperationId> change(const std::string& action, StopRequest request = {.force = true}) {
    return bulk_.change(kRoot, default_project(), action, request);
  }
  InstanceBulk bulk_{context_};
};

TEST_F(ABulkChange, IsOfTheInstancesWhoseStateItFits) {
  const auto a = make_running("a"), b = make_running("b"), c = make_instance("c");
  const auto id = change("stop");
  expect_success(id);
  EXPECT_THAT(end_of(*id).resources.at("instances"), ElementsAre("a", "b"));
  for (const auto& one : {a, b, c}) EXPECT_EQ(runtime_.status(one.uuid), InstanceStatus::Stopped);
  expect_success(change("start"));
  for (const auto& one : {a, b, c}) EXPECT_EQ(runtime_.status(one.uuid), InstanceStatus::Running);
  expect_success(change("freeze"));
  EXPECT_EQ(runtime_.status(c.uuid), InstanceStatus::Frozen);
  expect_success(change("unfreeze"));
  EXPECT_EQ(runtime_.status(c.uuid), InstanceStatus::Running);
  expect_success(change("unfreeze"));  // nothing to do is no failure
}

TEST_F(ABulkChange, NamesThoseThatFailedAndChangesTheOthers) {
  const auto a = make_running("a"), b = make_running("b");
  const auto held = context_.locks.lock(instance_entity(a.uuid), "Instance a", "update", EntityLocks::Purpose::User);
  ASSERT_TRUE(held);
  const auto end = outcome(change("stop"));
  EXPECT_THAT(end.message, HasSubstr("The following instances failed to update state:\n - Instance: a: "));
  EXPECT_EQ(runtime_.status(a.uuid), InstanceStatus::Running);
  EXPECT_EQ(runtime_.status(b.uuid), InstanceStatus::Stopped);
}

TEST_F(ABulkChange, IsOneThatIsKnown) {
  EXPECT_EQ(change("dance").error().code, Code::InvalidArgument);
  EXPECT_EQ(bulk_.change(kRoot, *ProjectName::parse("nowhere"), "stop", {}).error().code, Code::NotFound);
}

}  // namespace
}  // namespace berth::services
