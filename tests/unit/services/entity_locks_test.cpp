#include "daemon/services/entity_locks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

namespace berth::services {
namespace {

using Purpose = EntityLocks::Purpose;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(AnEntityLock, IsBusyForASecondUserAndNamesWhatRuns) {
  EntityLocks locks;
  const auto first = locks.lock("instance/1", "Instance web", "start", Purpose::User);
  ASSERT_TRUE(first);
  const auto second = locks.lock("instance/1", "Instance web", "delete", Purpose::User);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::Busy);
  EXPECT_EQ(second.error().message, "Instance web is busy running a start operation");
}

TEST(AnEntityLock, IsFreeAgainWhenItsGuardDies) {
  EntityLocks locks;
  { const auto first = locks.lock("instance/1", "Instance web", "start", Purpose::User); }
  EXPECT_TRUE(locks.lock("instance/1", "Instance web", "stop", Purpose::User));
  EXPECT_FALSE(locks.holder("instance/1"));
}

TEST(AnEntityLock, IsNotHeldTwiceByAGuardThatWasMoved) {
  EntityLocks locks;
  auto first = locks.lock("instance/1", "Instance web", "start", Purpose::User);
  {
    const EntityLocks::Guard moved = *std::move(first);
    EXPECT_EQ(locks.holder("instance/1")->verb, "start");
  }
  EXPECT_FALSE(locks.holder("instance/1"));
}

TEST(AnEntityLock, KeepsOneEntityApartFromAnother) {
  EntityLocks locks;
  const auto first = locks.lock("instance/1", "Instance web", "start", Purpose::User);
  EXPECT_TRUE(locks.lock("instance/2", "Instance db", "start", Purpose::User));
}

TEST(AnEntityLock, LetsAUserWaitForCleanup) {
  EntityLocks locks;
  auto cleanup = std::make_unique<Result<EntityLocks::Guard>>(
      locks.lock("instance/1", "Instance web", "clean-up", Purpose::Cleanup));
  auto user =
      std::async(std::launch::async, [&] { return locks.lock("instance/1", "Instance web", "delete", Purpose::User); });
  EXPECT_EQ(user.wait_for(milliseconds(50)), std::future_status::timeout);
  cleanup.reset();
  ASSERT_EQ(user.wait_for(seconds(20)), std::future_status::ready);
  EXPECT_TRUE(user.get());
}

TEST(AnEntityLock, LetsCleanupWaitForAUser) {
  EntityLocks locks;
  auto user =
      std::make_unique<Result<EntityLocks::Guard>>(locks.lock("instance/1", "Instance web", "stop", Purpose::User));
  auto cleanup = std::async(std::launch::async,
                            [&] { return locks.lock("instance/1", "Instance web", "clean-up", Purpose::Cleanup); });
  EXPECT_EQ(cleanup.wait_for(milliseconds(50)), std::future_status::timeout);
  user.reset();
  ASSERT_EQ(cleanup.wait_for(seconds(20)), std::future_status::ready);
  EXPECT_TRUE(cleanup.get());
}

TEST(AnEntityLock, IsBusyOnceItsPatienceIsOver) {
  EntityLocks locks(milliseconds(20));
  const auto cleanup = locks.lock("instance/1", "Instance web", "clean-up", Purpose::Cleanup);
  const auto user = locks.lock("instance/1", "Instance web", "delete", Purpose::User);
  ASSERT_FALSE(user);
  EXPECT_EQ(user.error().code, Code::Busy);
}

TEST(AnEntityLock, IsSharedByThoseWhoDoNotDisturbEachOtherAndByNobodyElse) {
  EntityLocks locks;
  auto first = std::make_unique<Result<EntityLocks::Guard>>(locks.share("image/1", "Image 1", "create"));
  auto second = std::make_unique<Result<EntityLocks::Guard>>(locks.share("image/1", "Image 1", "create"));
  ASSERT_TRUE(*first && *second);
  EXPECT_EQ(locks.lock("image/1", "Image 1", "delete", Purpose::User).error().message,
            "Image 1 is busy running a create operation");
  first.reset();
  EXPECT_FALSE(locks.lock("image/1", "Image 1", "delete", Purpose::User));
  second.reset();
  const auto alone = locks.lock("image/1", "Image 1", "delete", Purpose::User);
  EXPECT_TRUE(alone);
  EXPECT_EQ(locks.share("image/1", "Image 1", "create").error().message, "Image 1 is busy running a delete operation");
}

TEST(AnEntityLock, HasOneHolderAtATimeWhenManyThreadsWantIt) {
  EntityLocks locks;
  int inside = 0;  // guarded by the lock under test
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      for (int turn = 0; turn < 100; ++turn) {
        const auto guard = locks.lock("image/1", "Image 1", "clean-up", Purpose::Cleanup);
        ASSERT_TRUE(guard);
        ++inside;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(inside, 800);
}

TEST(AnEntityLock, TellsItsHolderOfEachWhoWaits) {
  EntityLocks locks;
  auto held = locks.lock("instance/1", "Instance web", "SFTP", Purpose::Cleanup);
  ASSERT_TRUE(held);
  auto early = std::async(std::launch::async, [&] { return locks.lock("instance/1", "Instance web", "start", Purpose::User); });
  EXPECT_EQ(early.wait_for(milliseconds(50)), std::future_status::timeout);
  std::promise<std::string> told;
  held->on_wanted([&told](const std::string& verb) { told.set_value(verb); });
  EXPECT_EQ(told.get_future().get(), "start") << "also of who waited before";
  { const auto released = *std::move(held); }
  auto next = early.get();
  ASSERT_TRUE(next);
  auto late = std::async(std::launch::async, [&] { return locks.lock("instance/1", "Instance web", "stop", Purpose::Cleanup); });
  EXPECT_EQ(late.wait_for(milliseconds(50)), std::future_status::timeout) << "and whoever holds it next is told nothing";
  { const auto released = *std::move(next); }
  EXPECT_TRUE(late.get());
}

}  // namespace
}  // namespace berth::services
