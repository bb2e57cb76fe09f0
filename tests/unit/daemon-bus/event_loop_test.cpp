#include "daemon/bus/event_loop.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <thread>
#include <vector>

namespace berth::bus {
namespace {

using namespace std::chrono_literals;

class Loop : public ::testing::Test {
 protected:
  std::unique_ptr<EventLoop> loop_ = *EventLoop::create();
};

TEST_F(Loop, RunsWhatOtherThreadsPostInTheirOrder) {
  constexpr int kThreads = 4, kEach = 500;
  std::vector<std::vector<int>> seen(kThreads);
  std::vector<std::thread> threads;
  int left = kThreads * kEach;
  for (int thread = 0; thread < kThreads; ++thread)
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kEach; ++i)
        EXPECT_TRUE(loop_->post([&, thread, i] {
          seen[static_cast<std::size_t>(thread)].push_back(i);
          if (--left == 0) loop_->stop(7);
        }));
    });
  EXPECT_EQ(loop_->run(), 7);
  for (auto& thread : threads) thread.join();
  for (const auto& each : seen) {
    EXPECT_EQ(each.size(), static_cast<std::size_t>(kEach));
    EXPECT_TRUE(std::is_sorted(each.begin(), each.end()));
  }
}

TEST_F(Loop, EndsItsWaitWhenAnotherThreadPostsAStop) {
  std::thread other([this] { (void)loop_->post([this] { loop_->stop(3); }); });
  EXPECT_EQ(loop_->run(), 3);
  other.join();
}

TEST_F(Loop, KeepsTheFirstExitCodeAndRunsOnceMoreAfterIt) {
  loop_->stop(1);
  loop_->stop(2);
  EXPECT_EQ(loop_->run(), 1);
  bool ran = false;
  EXPECT_TRUE(loop_->post([&] { ran = true; }));
  for (int i = 0; i < 10 && !ran; ++i) loop_->run_once(100ms);
  EXPECT_TRUE(ran) << "a daemon that ends still answers what is under way";
}

TEST_F(Loop, DropsWhatWaitsWhenItIsClosedAndTakesNoMore) {
  const auto held = std::make_shared<int>(1);
  bool ran = false;
  EXPECT_TRUE(loop_->post([held, &ran] { ran = true; }));
  loop_->close();
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_FALSE(loop_->post([&ran] { ran = true; }));
  loop_->run_once(1ms);
  EXPECT_FALSE(ran);
}

TEST_F(Loop, MayBePostedToByWhatItDropsWhenItIsClosed) {
  struct Poster {
    EventLoop& loop;
    ~Poster() { EXPECT_FALSE(loop.post([] {})); }
  };
  auto poster = std::shared_ptr<Poster>(new Poster{*loop_});
  EXPECT_TRUE(loop_->post([poster = std::move(poster)] {}));
  loop_->close();
}

TEST_F(Loop, OutlivesAJobThatThrows) {
  EXPECT_TRUE(loop_->post([] { throw std::runtime_error("broken"); }));
  EXPECT_TRUE(loop_->post([] { throw 1; }));
  EXPECT_TRUE(loop_->post([this] { loop_->stop(0); }));
  EXPECT_EQ(loop_->run(), 0);
}

TEST_F(Loop, CallsATimerOnceAndNotAfterItsEnd) {
  int fired = 0, never = 0;
  auto dropped = *loop_->after(1ms, [&] { ++never; });
  dropped = EventSource{};
  const auto once = *loop_->after(1ms, [&] { ++fired; });
  const auto stop = *loop_->after(20ms, [&] { loop_->stop(0); });
  EXPECT_EQ(loop_->run(), 0);
  EXPECT_EQ(fired, 1);
  EXPECT_EQ(never, 0);
}

TEST_F(Loop, LetsACallbackDestroyItsOwnSource) {
  EventSource source;
  std::string word = "kept";
  source = *loop_->after(1ms, [&, copy = std::string(100, 'x')] {
    source = EventSource{};
    word = copy;  // the callback must still be there
    loop_->stop(0);
  });
  EXPECT_EQ(loop_->run(), 0);
  EXPECT_EQ(word, std::string(100, 'x'));
}

TEST_F(Loop, TellsWhenThePeerOfAWatchedDescriptorIsGone) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  UniqueFd reader(ends[0]), writer(ends[1]);
  std::uint32_t events = 0;
  const auto watch = *loop_->watch(reader.get(), 0, [&](std::uint32_t seen) {
    events = seen;
    loop_->stop(0);
  });
  writer.reset();
  EXPECT_EQ(loop_->run(), 0);
  EXPECT_NE(events & EPOLLHUP, 0U);
}

}  // namespace
}  // namespace berth::bus
