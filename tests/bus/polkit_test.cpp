// What becomes of a call while polkit is slow, gone, wrong or changes its mind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "tests/bus/bench.hpp"
#include "tests/bus/client.hpp"
#include "tests/bus/fake_polkit.hpp"

namespace berth::bustest {
namespace {

using Answer = FakePolkit::Answer;
using ::testing::SizeIs;

class Polkit : public ::testing::Test {
 protected:
  Polkit() { (void)Bench::get(); }
  static Client::Pending ask(Client& client) { return client.send(kRoot, kManager, "GetServerInfo"); }
  static Outcome ask_now(Client& client) { return client.call(kRoot, kManager, "GetServerInfo"); }
  static Outcome list_in(Client& client, const char* project) {
    return client.call(kRoot, kManager, "ListImages", [&](sd_bus_message* m) { (void)sd_bus_message_append(m, "sa{sv}", project, 0); });
  }
};

TEST_F(Polkit, ThatIsSlowMakesTheCallWaitWhileOthersAreServed) {
  FakePolkit polkit(Answer::Hold);
  Client nobody(kNobody), root;
  const auto waits = ask(nobody);
  ASSERT_TRUE(polkit.wait_for_questions(1));
  EXPECT_TRUE(ask_now(root).ok());
  EXPECT_FALSE(*waits);
  polkit.release(true);
  ASSERT_TRUE(nobody.wait(waits));
  EXPECT_TRUE((*waits)->ok()) << **waits;
}

TEST_F(Polkit, ThatSaysNoAfterAWhileDenies) {
  FakePolkit polkit(Answer::Hold);
  Client nobody(kNobody);
  const auto waits = ask(nobody);
  ASSERT_TRUE(polkit.wait_for_questions(1));
  polkit.release(false);
  ASSERT_TRUE(nobody.wait(waits));
  EXPECT_EQ((*waits)->error, kDenied);
}

TEST_F(Polkit, IsAskedAboutTheInstanceAsWellBeforeItBecomesAnImage) {
  FakePolkit polkit(Answer::Hold);
  Client nobody(kNobody);
  const auto waits = nobody.send(kRoot, kManager, "PublishImage",
                                 [](sd_bus_message* m) { (void)sd_bus_message_append(m, "ssa{sv}", "default", "bench", 0); });
  ASSERT_TRUE(polkit.wait_for_questions(1));
  polkit.release(true);
  ASSERT_TRUE(polkit.wait_for_questions(2));
  EXPECT_EQ(polkit.questions()[0].action, "org.berth.Berth1.manage-images");
  EXPECT_EQ(polkit.questions()[1].action, "org.berth.Berth1.access-instances");
  polkit.release(false);
  ASSERT_TRUE(nobody.wait(waits));
  EXPECT_EQ((*waits)->error, kDenied);
}

TEST_F(Polkit, ThatLeavesInTheMiddleOfAQuestionDenies) {
  std::optional<FakePolkit> polkit(std::in_place, Answer::Hold);
  Client nobody(kNobody);
  const auto waits = ask(nobody);
  ASSERT_TRUE(polkit->wait_for_questions(1));
  polkit.reset();
  ASSERT_TRUE(nobody.wait(waits));
  EXPECT_EQ((*waits)->error, kDenied);
  EXPECT_EQ(ask_now(nobody).error, kDenied) << "and nobody comes through while it is away";
  polkit.emplace(Answer::Yes);
  EXPECT_TRUE(ask_now(nobody).ok()) << "but it is asked again when it is back";
}

TEST_F(Polkit, ThatAnswersWithAnotherTypeDenies) {
  FakePolkit polkit(Answer::WrongType);
  Client nobody(kNobody);
  EXPECT_EQ(ask_now(nobody).error, kDenied);
}

TEST_F(Polkit, ThatAnswersWithAnErrorDenies) {
  FakePolkit polkit(Answer::Error);
  Client nobody(kNobody);
  EXPECT_EQ(ask_now(nobody).error, kDenied);
}

TEST_F(Polkit, IsAskedOnceForViewByAConnectionInAProjectUntilItSaysChanged) {
  FakePolkit polkit(Answer::Yes);
  Client nobody(kNobody), other(kNobody);
  EXPECT_TRUE(list_in(nobody, "default").ok());
  EXPECT_TRUE(list_in(nobody, "default").ok());
  EXPECT_THAT(polkit.questions(), SizeIs(1));
  (void)list_in(nobody, "elsewhere");
  EXPECT_THAT(polkit.questions(), SizeIs(2)) << "another project is another question";
  EXPECT_TRUE(list_in(other, "default").ok());
  EXPECT_THAT(polkit.questions(), SizeIs(3)) << "another connection is another question";

  polkit.answer(Answer::No);
  EXPECT_TRUE(list_in(nobody, "default").ok()) << "still remembered";
  polkit.say_changed();
  EXPECT_EQ(list_in(nobody, "default").error, kDenied);
}

TEST_F(Polkit, IsAskedEachTimeForWhatChangesAnything) {
  FakePolkit polkit(Answer::Yes);
  Client nobody(kNobody);
  for (int i = 0; i < 3; ++i)
    (void)nobody.call(kRoot, kManager, "DeleteImageAlias", [](sd_bus_message* m) { (void)sd_bus_message_append(m, "ss", "default", "none"); });
  EXPECT_THAT(polkit.questions(), SizeIs(3));
}

TEST_F(Polkit, AnswersThatWereUnderWayWhenItSaidChangedAreNotRemembered) {
  FakePolkit polkit(Answer::Hold);
  Client nobody(kNobody);
  const auto waits = nobody.send(kRoot, kManager, "ListImages", [](sd_bus_message* m) { (void)sd_bus_message_append(m, "sa{sv}", "default", 0); });
  ASSERT_TRUE(polkit.wait_for_questions(1));
  polkit.say_changed();
  polkit.answer(Answer::No);
  polkit.release(true);
  ASSERT_TRUE(nobody.wait(waits));
  EXPECT_TRUE((*waits)->ok());
  EXPECT_EQ(list_in(nobody, "default").error, kDenied);
}

TEST_F(Polkit, MayPromptOnlyWhenTheMessageAllowsIt) {
  FakePolkit polkit(Answer::No);
  Client nobody(kNobody);
  (void)nobody.call(kRoot, kManager, "GetServerInfo", {}, true);
  (void)nobody.call(kRoot, kManager, "GetServerInfo", {}, false);
  const auto questions = polkit.questions();
  ASSERT_THAT(questions, SizeIs(2));
  EXPECT_EQ(questions[0].flags, 1U);
  EXPECT_EQ(questions[1].flags, 0U);
}

TEST_F(Polkit, UnderLoadIsAskedBitByBitAndNobodyIsDeniedForIt) {
  FakePolkit polkit(Answer::Hold);
  Client nobody(kNobody);
  std::vector<Client::Pending> calls;
  constexpr std::size_t kCalls = 100, kAtATime = 64;
  for (std::size_t i = 0; i < kCalls; ++i)
    calls.push_back(nobody.send(kRoot, kManager, "DeleteImageAlias",
                                [](sd_bus_message* m) { (void)sd_bus_message_append(m, "ss", "default", "none"); }));
  ASSERT_TRUE(polkit.wait_for_questions(kAtATime));
  Client root;
  EXPECT_TRUE(ask_now(root).ok());
  EXPECT_THAT(polkit.questions(), SizeIs(kAtATime));
  polkit.answer(Answer::Yes);
  polkit.release(true);
  for (const auto& call : calls) {
    ASSERT_TRUE(nobody.wait(call));
    EXPECT_EQ((*call)->error, "org.berth.Berth1.Error.NotFound") << **call;
  }
}

TEST_F(Polkit, IsAskedAboutHostAccessAsAnActionOfItsOwn) {  // rule 21
  FakePolkit polkit(Answer::Yes);
  Client nobody(kNobody);
  const auto create = [&] {
    return nobody.call(kRoot, kManager, "CreateProfile", [](sd_bus_message* m) {
      (void)sd_bus_message_append(m, "ssa{sv}", "default", "powerful", 1, "config", "a{ss}", 1, "security.privileged", "true");
    });
  };
  EXPECT_TRUE(create().ok());
  const auto questions = polkit.questions();
  ASSERT_THAT(questions, SizeIs(2));
  EXPECT_EQ(questions[0].action, "org.berth.Berth1.manage-profiles");
  EXPECT_EQ(questions[1].action, "org.berth.Berth1.configure-host-access");
  Client root;
  EXPECT_TRUE(root.call(std::string(kDefaultProject) + "/profile/powerful", "org.berth.Berth1.Profile", "Delete").ok());
}

}  // namespace
}  // namespace berth::bustest
