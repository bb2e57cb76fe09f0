#include "cli/remote/mailbox.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

namespace berth::cli {
namespace {

TEST(AMailbox, DeliversOnItsLoopsThreadInTheOrderOfEachSender) {
  constexpr int kSenders = 4, kLetters = 2000;
  rest::PollLoop loop;
  Mailbox mailbox(loop);
  const auto here = std::this_thread::get_id();
  std::vector<int> next(kSenders, 0);
  int received = 0, wrong = 0;
  std::vector<std::thread> senders;
  for (int sender = 0; sender < kSenders; ++sender)
    senders.emplace_back([&, sender] {
      for (int letter = 0; letter < kLetters; ++letter)
        mailbox.post([&, sender, letter] {
          if (std::this_thread::get_id() != here || next.at(static_cast<std::size_t>(sender))++ != letter) ++wrong;
          ++received;
        });
    });
  loop.run_until([&] { return received == kSenders * kLetters; });
  for (auto& sender : senders) sender.join();
  EXPECT_EQ(wrong, 0);
}

TEST(AMailbox, TakesLettersThatItsLettersWriteAndForgetsThoseThatAreLeft) {
  const auto kept = std::make_shared<int>(0);
  {
    rest::PollLoop loop;
    Mailbox mailbox(loop);
    bool done = false;
    std::thread sender([&] { mailbox.post([&] { mailbox.post([&] { done = true; }); }); });
    loop.run_until([&] { return done; });
    sender.join();
    mailbox.post([kept] { ++*kept; });
    EXPECT_EQ(kept.use_count(), 2);
  }
  EXPECT_EQ(kept.use_count(), 1);
  EXPECT_EQ(*kept, 0);
}

}  // namespace
}  // namespace berth::cli
