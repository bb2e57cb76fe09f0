#include "daemon/services/operations.hpp"

#include "tests/fakes/fake_clock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <mutex>
#include <thread>

namespace berth::services {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::Ge;
using testing::IsEmpty;
using testing::Le;
using testing::SizeIs;

Principal local(std::uint32_t uid) { return Principal{PrincipalKind::Local, uid, 1, 1, ":1.1", {}}; }

class OperationsTest : public testing::Test {
 protected:
  OperationsTest() {
    operations_.listen([this](const OperationView& view) {
      const std::lock_guard lock(mutex_);
      heard_.push_back(view);
      changed_.notify_all();
    });
  }
  ~OperationsTest() override {
    operations_.shut_down();
    pool_.stop();
  }

  OperationSpec spec(const std::string& project = "default") const {
    return {.description = "Creating instance", .project = *ProjectName::parse(project), .owner = local(1000)};
  }
  /// Waits until the listener has heard of the end.
  OperationView end_of(const OperationId& id) {
    std::unique_lock lock(mutex_);
    const OperationView* found = nullptr;
    const bool ended = changed_.wait_for(lock, seconds(20), [&] {
      for (const auto& view : heard_)
        if (view.id == id && is_final(view.status)) found = &view;
      return found != nullptr;
    });
    EXPECT_TRUE(ended);
    return *found;
  }
  std::vector<OperationStatus> statuses(const OperationId& id) {
    const std::lock_guard lock(mutex_);
    std::vector<OperationStatus> all;
    for (const auto& view : heard_)
      if (view.id == id) all.push_back(view.status);
    return all;
  }
  std::size_t heard() {
    const std::lock_guard lock(mutex_);
    return heard_.size();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<OperationView> heard_;
  fakes::FakeClock clock_;
  WorkerPool pool_{2, 8};
  Operations operations_{pool_, clock_};
};

TEST_F(OperationsTest, AreRunningWhenStartReturnsAndSucceedWithWhatTheBodyReturned) {
  std::promise<void> release;
  auto released = release.get_future().share();
  const auto id = operations_.start(spec(), [released](OperationContext&) -> Result<Document> {
    released.wait();
    return Document{{"fingerprint", "abc"}};
  });
  ASSERT_TRUE(id);
  EXPECT_EQ(operations_.get(local(1000), *id)->status, OperationStatus::Running);
  release.set_value();
  const auto end = end_of(*id);
  EXPECT_EQ(end.status, OperationStatus::Success);
  EXPECT_EQ(std::get<std::string>(end.metadata.at("fingerprint").value), "abc");
  EXPECT_THAT(statuses(*id), ElementsAre(OperationStatus::Pending, OperationStatus::Running, OperationStatus::Success));
}

TEST_F(OperationsTest, FailWithTheBodysErrorAndKeepWhatItToldBefore) {
  const auto id = operations_.start(spec(), [](OperationContext& operation) -> Result<Document> {
    operation.set_metadata("return", std::int64_t{127});
    return Error{Code::NotFound, "Command not found"};
  });
  const auto end = end_of(*id);
  EXPECT_EQ(end.status, OperationStatus::Failure);
  EXPECT_EQ(end.error->message, "Command not found");
  EXPECT_EQ(std::get<std::int64_t>(end.metadata.at("return").value), 127);
}

TEST_F(OperationsTest, CanBeCancelledOnceWhenTheySayTheyCan) {
  auto cancellable = spec();
  cancellable.cancellable = true;
  const auto id = operations_.start(cancellable, [](OperationContext& operation) -> Result<Document> {
    while (!operation.cancelled()) std::this_thread::yield();
    return Error{Code::Internal, "stopped half way"};
  });
  EXPECT_TRUE(operations_.cancel(local(1000), *id));
  const auto end = end_of(*id);
  EXPECT_EQ(end.status, OperationStatus::Cancelled);
  EXPECT_EQ(end.error->code, Code::Cancelled);
  EXPECT_THAT(statuses(*id), ElementsAre(OperationStatus::Pending, OperationStatus::Running,
                                         OperationStatus::Cancelling, OperationStatus::Cancelled));
  EXPECT_EQ(operations_.cancel(local(1000), *id).error().message, "Only running operations can be cancelled");
}

TEST_F(OperationsTest, RefuseACancelTheyCannotObey) {
  const auto id = operations_.open(spec(), nullptr);
  const auto cancelled = operations_.cancel(local(1000), *id);
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().code, Code::FailedPrecondition);
  EXPECT_EQ(cancelled.error().message, "This operation can't be cancelled");
  operations_.finish(*id, Document{});
}

TEST_F(OperationsTest, RunUntilSomethingElseEndsThemWhenOpened) {
  bool asked = false;
  const auto id = operations_.open(spec(), [&asked] { asked = true; });
  EXPECT_TRUE(operations_.get(local(1000), *id)->cancellable);
  EXPECT_TRUE(operations_.cancel(local(1000), *id));
  EXPECT_TRUE(asked);
  operations_.finish(*id, Error{Code::Cancelled, "Cancelled"});
  EXPECT_EQ(end_of(*id).status, OperationStatus::Cancelled);
  operations_.finish(*id, Document{});  // a second end changes nothing
  EXPECT_EQ(operations_.get(local(1000), *id)->status, OperationStatus::Cancelled);
}

TEST_F(OperationsTest, KeepTheIdThatWasGivenAndRefuseItTwice) {
  const auto id = new_uuid();
  auto found_again = spec();
  found_again.id = id;
  EXPECT_EQ(*operations_.open(found_again, nullptr), id);
  EXPECT_EQ(operations_.open(found_again, nullptr).error().code, Code::AlreadyExists);
  operations_.finish(id, Document{});
}

TEST_F(OperationsTest, StaySixtySecondsAfterTheirEndAndNoLonger) {
  const auto id = operations_.start(spec(), [](OperationContext&) -> Result<Document> { return Document{}; });
  end_of(*id);
  clock_.advance(seconds(59));
  EXPECT_THAT(operations_.expire(), IsEmpty());
  EXPECT_TRUE(operations_.get(local(1000), *id));
  clock_.advance(seconds(1));
  EXPECT_THAT(operations_.expire(), ElementsAre(*id));
  const auto gone = operations_.get(local(1000), *id);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Code::NotFound);
  EXPECT_EQ(gone.error().message, "Operation not found");
}

TEST_F(OperationsTest, DoNotExpireWhileTheyRun) {
  const auto id = operations_.open(spec(), nullptr);
  clock_.advance(std::chrono::hours(24));
  EXPECT_THAT(operations_.expire(), IsEmpty());
  operations_.finish(*id, Document{});
}

TEST_F(OperationsTest, AreHiddenFromOthersInAUsersProject) {
  const auto id = operations_.open(spec("user-1000"), nullptr);
  EXPECT_TRUE(operations_.get(local(1000), *id));
  EXPECT_TRUE(operations_.get(local(0), *id));
  EXPECT_EQ(operations_.get(local(1001), *id).error().code, Code::NotFound);
  EXPECT_EQ(operations_.cancel(local(1001), *id).error().code, Code::NotFound);
  EXPECT_THAT(operations_.list(local(1001), std::nullopt), IsEmpty());
  EXPECT_THAT(operations_.list(local(1000), std::nullopt), SizeIs(1));
  operations_.finish(*id, Document{});
}

TEST_F(OperationsTest, AreListedByProjectOldestFirst) {
  const auto first = operations_.open(spec(), nullptr);
  clock_.advance(seconds(1));
  const auto second = operations_.open(spec(), nullptr);
  const auto other = operations_.open(spec("other"), nullptr);
  const auto rows = operations_.list(local(1000), default_project());
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_EQ(rows[0].id, *first);
  EXPECT_EQ(rows[1].id, *second);
  for (const auto& id : {first, second, other}) operations_.finish(*id, Document{});
}

TEST_F(OperationsTest, AreRefusedBeyondAThousandThatRun) {
  std::vector<OperationId> ids;
  for (int i = 0; i < 1000; ++i) ids.push_back(*operations_.open(spec(), nullptr));
  EXPECT_EQ(operations_.running(), 1000U);
  const auto one_more = operations_.open(spec(), nullptr);
  ASSERT_FALSE(one_more);
  EXPECT_EQ(one_more.error().code, Code::LimitsExceeded);
  operations_.finish(ids.front(), Document{});
  EXPECT_TRUE(operations_.open(spec(), nullptr));
  EXPECT_THAT(operations_.list(local(0), std::nullopt), SizeIs(1001));
}

TEST_F(OperationsTest, AreNoLongerCountedWhenTheirEndIsHeard) {
  std::vector<std::size_t> counted;
  operations_.listen([&](const OperationView& view) {
    if (is_final(view.status)) counted.push_back(operations_.running());
  });
  const auto id = *operations_.open(spec(), nullptr);
  EXPECT_EQ(operations_.running(), 1U);
  operations_.finish(id, Document{});
  EXPECT_THAT(counted, ElementsAre(0U));
}

TEST_F(OperationsTest, EndAllOfThousandThatManyClientsStart) {
  std::vector<std::thread> clients;
  for (int client = 0; client < 4; ++client)
    clients.emplace_back([this] {
      for (int i = 0; i < 250; ++i) {
        const auto id = operations_.start(spec(), [](OperationContext& operation) -> Result<Document> {
          operation.set_metadata("step", "one");
          return Document{};
        });
        ASSERT_TRUE(id);
      }
    });
  for (auto& client : clients) client.join();
  for (const auto& view : operations_.list(local(0), std::nullopt))
    EXPECT_EQ(end_of(view.id).status, OperationStatus::Success);
  EXPECT_EQ(operations_.running(), 0U);
}

TEST_F(OperationsTest, TellProgressAtMostFiveTimesASecondAndTheLastValueAlways) {
  std::promise<void> release;
  auto released = release.get_future().share();
  const auto began = std::chrono::steady_clock::now();
  const auto id = operations_.start(spec(), [released](OperationContext& operation) -> Result<Document> {
    for (std::uint64_t i = 0; i <= 1000; ++i) operation.set_progress("unpack", "Unpack", i * 1000, 1'000'000);
    released.wait();
    return Document{};
  });
  std::unique_lock lock(mutex_);
  const bool last_heard = changed_.wait_for(lock, seconds(20), [this] {
    const auto progress = heard_.back().metadata.find("progress");
    return progress != heard_.back().metadata.end() &&
           std::get<ConfigMap>(progress->second.value).at("percent") == "100";
  });
  const auto told = heard_.size() - 2;  // Pending and Running are no progress
  lock.unlock();
  EXPECT_TRUE(last_heard);
  const auto slots =
      std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began).count() / 200 + 1;
  EXPECT_LE(told, static_cast<std::size_t>(slots));
  const auto metadata = operations_.get(local(0), *id)->metadata;
  EXPECT_THAT(std::get<std::string>(metadata.at("unpack_progress").value), testing::StartsWith("Unpack: 100% ("));
  EXPECT_EQ(std::get<ConfigMap>(metadata.at("progress").value).at("stage"), "unpack");
  release.set_value();
}

TEST_F(OperationsTest, SeeACancelAndStartNoMoreOnceTheServerShutsDown) {
  const auto id = operations_.start(spec(), [](OperationContext& operation) -> Result<Document> {
    while (!operation.cancelled()) std::this_thread::yield();
    return Error{Code::Cancelled, "The server is shutting down"};
  });
  operations_.shut_down();
  EXPECT_EQ(end_of(*id).status, OperationStatus::Cancelled);
  EXPECT_EQ(operations_.open(spec(), nullptr).error().code, Code::Unavailable);
}

}  // namespace
}  // namespace berth::services
