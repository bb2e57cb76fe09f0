#include "daemon/services/worker_pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace berth::services {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(AWorkerPool, RunsEveryJobThatIsSubmittedFromManyThreads) {
  std::atomic<int> done{0};
  std::promise<void> all;
  WorkerPool pool(4, 4);
  std::vector<std::thread> clients;
  for (int client = 0; client < 4; ++client)
    clients.emplace_back([&] {
      for (int i = 0; i < 250; ++i)
        (i % 2 == 0 ? pool.submit([&] {
          if (++done == 1000) all.set_value();
        })
                    : pool.submit_long([&] {
                        if (++done == 1000) all.set_value();
                      }));
    });
  for (auto& client : clients) client.join();
  ASSERT_EQ(all.get_future().wait_for(seconds(20)), std::future_status::ready);
}

TEST(AWorkerPool, ServesQuickJobsWhileEveryLongThreadIsTaken) {
  WorkerPool pool(1, 2);
  std::promise<void> release;
  const auto released = release.get_future().share();
  for (int i = 0; i < 5; ++i) pool.submit_long([released] { released.wait(); });
  std::promise<void> quick;
  pool.submit([&] { quick.set_value(); });
  EXPECT_EQ(quick.get_future().wait_for(seconds(20)), std::future_status::ready);
  release.set_value();
}

TEST(AWorkerPool, GivesLongJobsAThreadEachUpToItsLimit) {
  std::promise<void> both;
  std::atomic<int> inside{0};
  WorkerPool pool(1, 2);
  const auto met = both.get_future().share();
  for (int i = 0; i < 2; ++i)
    pool.submit_long([&, met] {
      if (++inside == 2) both.set_value();
      met.wait();
    });
  EXPECT_EQ(met.wait_for(seconds(20)), std::future_status::ready);
}

TEST(AWorkerPool, RunsNoMoreLongJobsAtOnceThanItsLimit) {
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  std::atomic<int> done{0};
  std::promise<void> all;
  WorkerPool pool(1, 3);
  for (int i = 0; i < 60; ++i)
    pool.submit_long([&] {
      const int now = ++inside;
      int seen = most.load();
      while (now > seen && !most.compare_exchange_weak(seen, now)) {
      }
      std::this_thread::yield();
      --inside;
      if (++done == 60) all.set_value();
    });
  ASSERT_EQ(all.get_future().wait_for(seconds(20)), std::future_status::ready);
  EXPECT_LE(most.load(), 3);
}

TEST(AWorkerPool, RunsADelayedJobNotBeforeItIsDueAndInOrderOfTime) {
  WorkerPool pool(1, 1);
  const auto began = std::chrono::steady_clock::now();
  std::promise<std::chrono::steady_clock::time_point> first;
  std::promise<void> second;
  pool.submit_after(milliseconds(60), [&] { second.set_value(); });
  pool.submit_after(milliseconds(30), [&] { first.set_value(std::chrono::steady_clock::now()); });
  auto when = first.get_future();
  ASSERT_EQ(when.wait_for(seconds(20)), std::future_status::ready);
  EXPECT_GE(when.get() - began, milliseconds(30));
  EXPECT_EQ(second.get_future().wait_for(seconds(20)), std::future_status::ready);
}

TEST(AWorkerPool, LetsRunningJobsEndAndDropsTheRestWhenItStops) {
  std::atomic<bool> ended{false};
  std::atomic<bool> ran_late{false};
  auto token = std::make_shared<int>(0);
  {
    WorkerPool pool(1, 1);
    std::promise<void> inside;
    std::promise<void> release;
    auto released = release.get_future();
    pool.submit([&] {
      inside.set_value();
      released.wait();
      ended = true;
    });
    inside.get_future().wait();
    pool.submit([&ran_late, token] { ran_late = true; });
    pool.submit_after(seconds(3600), [&ran_late, token] { ran_late = true; });
    std::thread stopper([&pool] { pool.stop(); });
    while (token.use_count() > 1) std::this_thread::yield();
    release.set_value();
    stopper.join();
  }
  EXPECT_TRUE(ended);
  EXPECT_FALSE(ran_late);
  EXPECT_EQ(token.use_count(), 1);
}

}  // namespace
}  // namespace berth::services
