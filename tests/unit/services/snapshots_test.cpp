#include "daemon/services/snapshot_schedule.hpp"
#include "daemon/services/snapshots.hpp"
#include "tests/unit/services/services_fixture.hpp"

namespace berth::services {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

SnapshotName snapshot_name(const std::string& text) { return *SnapshotName::parse(text); }

class InstanceSnapshots : public ServicesTest {
 protected:
  InstanceRef web_{default_project(), instance_name("web")};
  Error take(const std::string& name = {}) {
    SnapshotRequest request;
    if (!name.empty()) request.name = snapshot_name(name);
    return outcome(snapshots_.create(kRoot, web_, request));
  }
  Snapshot only() {
    const auto all = store_.snapshots(stored("web").uuid);
    EXPECT_EQ(all->size(), 1U);
    return all->front();
  }
  Error copy(InstanceSource source, const std::string& to = "copy") {
    source.type = "copy";
    source.instance = instance_name("web");
    return outcome(
        create_.create(kRoot, {.project = default_project(), .name = instance_name(to), .source = std::move(source)}));
  }
  ports::Intent intent(const std::string& verb, const Uuid& snapshot) {
    return {.id = new_uuid(),
            .verb = verb,
            .object = snapshot.str(),
            .detail = R"({"pool":"default","instance":")" + stored("web").uuid.str() + R"("})",
            .created_at = clock_.now()};
  }
  Snapshots snapshots_{context_};
};

TEST_F(InstanceSnapshots, KeepRootAndConfigurationAndTellOfIt) {
  const auto row = make_instance("web", {{"user.a", "then"}});
  driver_->write(row.uuid, "then");
  forget_events();
  EXPECT_EQ(take().message, "");
  const auto snapshot = only();
  EXPECT_EQ(snapshot.name.str(), "snap0");
  EXPECT_THAT(snapshot.config, Contains(Pair("user.a", "then")));
  EXPECT_EQ(driver_->content({row.uuid, snapshot.uuid}), "then");
  EXPECT_THAT(actions(), ElementsAre("instance-snapshot-created"));
  EXPECT_EQ(std::get<std::string>(events().front().metadata.at("name").value), "web/snap0");
  EXPECT_THAT(*store_.intents(), IsEmpty());
}

TEST_F(InstanceSnapshots, FollowPatternAndExpiryOfTheConfiguration) {
  (void)make_instance("web", {{"snapshots.pattern", "auto%d"}, {"snapshots.expiry", "5M"}});
  EXPECT_EQ(take().message, "");
  EXPECT_EQ(only().name.str(), "auto0");
  EXPECT_EQ(only().expires_at, clock_.now() + std::chrono::minutes(5));
}

TEST_F(InstanceSnapshots, OfARunningContainerLeaveItRunning) {
  const auto row = make_running("web");
  EXPECT_EQ(take("s0").message, "");
  EXPECT_EQ(runtime_.status(row.uuid), InstanceStatus::Running);
  driver_->fail_next(Error{Code::Unavailable, "the disk is full"});
  EXPECT_EQ(take("s1").message, "the disk is full");
  EXPECT_EQ(runtime_.status(row.uuid), InstanceStatus::Running) << "it stays frozen after a failure";
  EXPECT_EQ(driver_->snapshots(), 1U);
  EXPECT_THAT(*store_.intents(), IsEmpty());
}

TEST_F(InstanceSnapshots, LeaveNothingWhenTheRowCannotBeWritten) {
  (void)make_instance("web");
  store_.fail_next(Error{Code::Unavailable, "no database"}, 1);
  EXPECT_EQ(take("s0").message, "no database");
  EXPECT_EQ(driver_->snapshots(), 0U);
  EXPECT_THAT(*store_.intents(), IsEmpty());
}

TEST_F(InstanceSnapshots, RefuseWhatCannotBe) {
  (void)make_instance("web");
  EXPECT_EQ(take("s0").message, "");
  EXPECT_EQ(take("s0").code, Code::AlreadyExists);
  EXPECT_EQ(outcome(snapshots_.create(kRoot, web_, {.stateful = true})).code, Code::NotSupported);
  EXPECT_EQ(outcome(snapshots_.remove(kRoot, web_, snapshot_name("nope"))).message,
            "Failed to fetch snapshot \"nope\" of instance \"web\" in project \"default\": InstanceSnapshot not found");
  EXPECT_EQ(take("s1").message, "");
  EXPECT_EQ(outcome(snapshots_.rename(kRoot, web_, snapshot_name("s0"), snapshot_name("s1"))).code,
            Code::AlreadyExists);
}

TEST_F(InstanceSnapshots, AreRenamedUpdatedAndDeleted) {
  const auto row = make_instance("web");
  EXPECT_EQ(take("s0").message, "");
  forget_events();
  expect_success(snapshots_.rename(kRoot, web_, snapshot_name("s0"), snapshot_name("s9")));
  const Timestamp end{std::chrono::seconds{2'000'000'000}};
  expect_success(snapshots_.update(kRoot, web_, snapshot_name("s9"), end, std::nullopt));
  EXPECT_EQ(only().expires_at, end);
  EXPECT_EQ(outcome(snapshots_.update(kRoot, web_, snapshot_name("s9"), end, 1)).code, Code::RevisionMismatch);
  expect_success(snapshots_.remove(kRoot, web_, snapshot_name("s9")));
  EXPECT_THAT(actions(),
              ElementsAre("instance-snapshot-renamed", "instance-snapshot-updated", "instance-snapshot-deleted"));
  EXPECT_EQ(driver_->snapshots(), 0U);
}

TEST_F(InstanceSnapshots, BringBackRootAndConfigurationButNotWhatTheServerRecorded) {
  const auto row = make_running("web", {{"user.a", "then"}});
  driver_->write(row.uuid, "then");
  EXPECT_EQ(take("s0").message, "");
  driver_->write(row.uuid, "now");
  auto changed = stored("web");
  changed.config["user.a"] = "now";
  changed.config["user.b"] = "new";
  ASSERT_TRUE(store_.update_instance(changed, std::nullopt));
  forget_events();
  expect_success(snapshots_.restore(kRoot, web_, snapshot_name("s0")));
  EXPECT_EQ(driver_->content({row.uuid, {}}), "then");
  const auto now = stored("web");
  EXPECT_THAT(now.config, Contains(Pair("user.a", "then")));
  EXPECT_THAT(now.config, Not(Contains(Pair("user.b", testing::_))));
  EXPECT_EQ(now.config.at("volatile.uuid"), row.config.at("volatile.uuid"));
  EXPECT_EQ(runtime_.status(row.uuid), InstanceStatus::Running) << "it ran before, and runs after";
  EXPECT_THAT(actions(), Contains("instance-restored"));
}

TEST_F(InstanceSnapshots, ThatReachTheHostAskAgainWhenTheyAreRestored) {
  (void)make_instance("web", {{"security.privileged", "true"}});
  EXPECT_EQ(take("s0").message, "");
  auto tame = stored("web");
  tame.config.erase("security.privileged");
  ASSERT_TRUE(store_.update_instance(tame, std::nullopt));
  EXPECT_EQ(outcome(snapshots_.restore(kAlice, web_, snapshot_name("s0"))).code, Code::AccessDenied);
}

TEST_F(InstanceSnapshots, GoWithTheirInstance) {
  (void)make_instance("web");
  EXPECT_EQ(take("s0").message, "");
  EXPECT_EQ(take("s1").message, "");
  expect_success(lifecycle_.remove(kRoot, default_project(), web_.name, false));
  EXPECT_EQ(driver_->snapshots(), 0U);
  EXPECT_THAT(*store_.snapshots(std::nullopt), IsEmpty());
}

TEST_F(InstanceSnapshots, ThatWereHalfMadeOrHalfDeletedAreGoneAfterACrash) {
  const auto row = make_instance("web");
  const auto half = new_uuid();
  ASSERT_TRUE(driver_->copy_tree({row.uuid, {}}, {row.uuid, half}));
  ASSERT_TRUE(store_.begin_intent(intent("create-snapshot", half)));
  EXPECT_EQ(take("s0").message, "");
  ASSERT_TRUE(store_.begin_intent(intent("delete-snapshot", only().uuid)));
  ASSERT_TRUE(reconcile_.at_start());
  EXPECT_EQ(driver_->snapshots(), 0U);
  EXPECT_THAT(*store_.snapshots(row.uuid), IsEmpty());
  EXPECT_THAT(*store_.intents(), IsEmpty());
}

TEST_F(InstanceSnapshots, AreRestoredToTheEndAfterACrash) {
  const auto row = make_instance("web", {{"user.a", "then"}});
  driver_->write(row.uuid, "then");
  EXPECT_EQ(take("s0").message, "");
  driver_->write(row.uuid, "now");
  auto changed = stored("web");
  changed.config["user.a"] = "now";
  ASSERT_TRUE(store_.update_instance(changed, std::nullopt));
  ASSERT_TRUE(store_.begin_intent(intent("restore-snapshot", only().uuid)));
  ASSERT_TRUE(reconcile_.at_start());
  EXPECT_EQ(driver_->content({row.uuid, {}}), "then");
  EXPECT_EQ(stored("web").config.at("user.a"), "then");
  EXPECT_THAT(*store_.intents(), IsEmpty());
}

TEST_F(InstanceSnapshots, ComeAlongWithACopyUnlessToldOtherwise) {
  const auto row = make_instance("web", {{"user.a", "b"}});
  driver_->write(row.uuid, "files");
  EXPECT_EQ(take("s0").message, "");
  EXPECT_EQ(copy({}).message, "");
  const auto made = stored("copy");
  EXPECT_EQ(driver_->content({made.uuid, {}}), "files");
  EXPECT_THAT(made.config, Contains(Pair("user.a", "b")));
  EXPECT_EQ(made.config.at("volatile.base_image"), row.config.at("volatile.base_image"));
  EXPECT_NE(made.config.at("volatile.uuid"), row.config.at("volatile.uuid"));
  EXPECT_EQ(made.config.at("volatile.apply_template"), "copy");
  const auto copies = *store_.snapshots(made.uuid);
  ASSERT_EQ(copies.size(), 1U);
  EXPECT_EQ(copies.front().name.str(), "s0");
  EXPECT_EQ(driver_->content({made.uuid, copies.front().uuid}), "files");
  EXPECT_EQ(copy({.instance_only = true}, "bare").message, "");
  EXPECT_THAT(*store_.snapshots(stored("bare").uuid), IsEmpty());
}

TEST_F(InstanceSnapshots, BecomeInstancesOfTheirOwn) {
  const auto row = make_running("web");
  driver_->write(row.uuid, "then");
  EXPECT_EQ(take("s0").message, "");
  driver_->write(row.uuid, "now");
  EXPECT_EQ(copy({.snapshot = snapshot_name("s0")}, "old").message, "");
  EXPECT_EQ(driver_->content({stored("old").uuid, {}}), "then");
  EXPECT_EQ(copy({}, "new").message, "");
  EXPECT_EQ(driver_->content({stored("new").uuid, {}}), "now");
  EXPECT_EQ(runtime_.status(row.uuid), InstanceStatus::Running);
}

TEST_F(InstanceSnapshots, LeaveNoHalfCopyBehind) {
  (void)make_instance("web");
  EXPECT_EQ(take("s0").message, "");
  store_.fail_next(Error{Code::Unavailable, "no database"}, 1);
  EXPECT_EQ(copy({}).message, "no database");
  EXPECT_FALSE(exists("copy"));
  EXPECT_EQ(driver_->roots()->size(), 1U);
  EXPECT_EQ(driver_->snapshots(), 1U);
}

TEST_F(InstanceSnapshots, AndRootOfACopyAreBroughtUpToDate) {
  const auto row = make_instance("web");
  EXPECT_EQ(take("s0").message, "");
  EXPECT_EQ(copy({}).message, "");
  expect_success(snapshots_.remove(kRoot, web_, snapshot_name("s0")));
  clock_.advance(std::chrono::seconds(5));
  EXPECT_EQ(take("s1").message, "");
  driver_->write(row.uuid, "newer");
  EXPECT_EQ(copy({.refresh = true}).message, "");
  const auto made = stored("copy");
  EXPECT_EQ(driver_->content({made.uuid, {}}), "newer");
  const auto now = *store_.snapshots(made.uuid);
  ASSERT_EQ(now.size(), 1U);
  EXPECT_EQ(now.front().name.str(), "s1");
}

TEST_F(InstanceSnapshots, OfNothingAreNotCopied) {
  const auto refused = copy({});
  EXPECT_EQ(refused.code, Code::NotFound);
  EXPECT_THAT(refused.message, HasSubstr("Failed to fetch instance \"web\" in project \"default\""));
}

TEST_F(InstanceSnapshots, WhoseTimeIsOverAreDeletedAndOthersTellWhenTheyAre) {
  (void)make_instance("web", {{"snapshots.expiry", "5M"}});
  EXPECT_EQ(take("s0").message, "");
  const auto end = only().expires_at;
  SnapshotSchedule schedule(context_);
  EXPECT_EQ(schedule.run(), end);
  clock_.advance(std::chrono::minutes(6));
  forget_events();
  (void)schedule.run();
  EXPECT_TRUE(await_action("instance-snapshot-deleted"));
  EXPECT_EQ(driver_->snapshots(), 0U);
}

TEST_F(InstanceSnapshots, AreTakenByTheScheduleOncePerMinuteOfRunningContainers) {
  (void)make_running("web", {{"snapshots.schedule", "* * * * *"}});
  (void)make_instance("idle", {{"snapshots.schedule", "* * * * *"}});
  SnapshotSchedule schedule(context_);
  clock_.advance(std::chrono::minutes(1));
  forget_events();
  const auto next = schedule.run();
  ASSERT_TRUE(next);
  EXPECT_EQ(*next, std::chrono::floor<std::chrono::minutes>(clock_.now()) + std::chrono::minutes(1));
  EXPECT_TRUE(await_action("instance-snapshot-created"));
  (void)schedule.run();
  EXPECT_EQ(only().name.str(), "snap0");
  EXPECT_THAT(*store_.snapshots(stored("idle").uuid), IsEmpty());
}

TEST_F(InstanceSnapshots, AreTakenBeforeEachStartWhenTheScheduleSaysSo) {
  const auto row = make_instance("web", {{"snapshots.schedule", "@daily, @startup"}});
  driver_->write(row.uuid, "before");
  expect_success(lifecycle_.start(kRoot, default_project(), row.name));
  EXPECT_EQ(driver_->content({row.uuid, only().uuid}), "before");
  make_running("other");
  EXPECT_EQ(store_.snapshots(std::nullopt)->size(), 1U);
}

TEST_F(InstanceSnapshots, OfAStoppedInstanceAreTakenByTheScheduleWhenItSaysSo) {
  (void)make_instance("web", {{"snapshots.schedule", "* * * * *"}, {"snapshots.schedule.stopped", "true"}});
  SnapshotSchedule schedule(context_);
  (void)schedule.run();
  EXPECT_TRUE(await_action("instance-snapshot-created"));
}

}  // namespace
}  // namespace berth::services
