#include "tests/unit/services/services_fixture.hpp"

#include <fstream>

namespace berth::services {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

class ANewDaemon : public ServicesTest {
 protected:
  /// What a crash or a reboot of the host leaves: no container runs and nobody told why.
  void lose(const Instance& instance) {
    runtime_.detach();
    runtime_.end(instance.uuid, {.reason = ExitReport::Reason::HostShutdown});
    (void)runtime_.last_exit(instance.uuid);
    connect();
  }
  ports::Intent intent(const std::string& verb, const Uuid& uuid) {
    return {.id = new_uuid(),
            .verb = verb,
            .object = uuid.str(),
            .detail = R"({"pool":"default"})",
            .created_at = clock_.now()};
  }
};

TEST_F(ANewDaemon, MakesTheFirstPoolAndTheDefaultProfile) {
  EXPECT_EQ(store_.pool(pool_name("default"))->driver, "overlay");
  const auto profile = store_.profile(kRoot, default_project(), profile_name("default"));
  EXPECT_THAT(profile->devices.at("root"),
              ElementsAre(Pair("path", "/"), Pair("pool", "default"), Pair("type", "disk")));
  EXPECT_TRUE(reconcile_.at_start());  // and makes them once
}

TEST_F(ANewDaemon, RollsBackACreationThatWasNotCommitted) {
  const auto uuid = new_uuid();
  ASSERT_TRUE(store_.begin_intent(intent("create-instance", uuid)));
  ASSERT_TRUE(driver_->create_empty_root(uuid));
  ASSERT_TRUE(reconcile_.at_start());
  EXPECT_THAT(*driver_->roots(), IsEmpty());
  EXPECT_THAT(*store_.intents(), IsEmpty());
}

TEST_F(ANewDaemon, FinishesACreationThatWasCommitted) {
  const auto row = make_instance("web");
  ASSERT_TRUE(manifests_.remove(row.uuid));
  ASSERT_TRUE(store_.begin_intent(intent("create-instance", row.uuid)));
  ASSERT_TRUE(reconcile_.at_start());
  EXPECT_TRUE(exists("web"));
  EXPECT_TRUE(manifests_.read(row.uuid));
  EXPECT_THAT(*store_.intents(), IsEmpty());
}

TEST_F(ANewDaemon, FinishesADeletionThatWasBegun) {
  const auto row = make_instance("web");
  ASSERT_TRUE(store_.begin_intent(intent("delete-instance", row.uuid)));
  ASSERT_TRUE(reconcile_.at_start());
  EXPECT_FALSE(exists("web"));
  EXPECT_THAT(*driver_->roots(), IsEmpty());
  EXPECT_THAT(*store_.intents(), IsEmpty());
}

TEST_F(ANewDaemon, ThawsWhatStoodStillToBeCopiedAndNotWhatAUserPaused) {
  const auto copied = make_running("copied");
  const auto paused = make_running("paused");
  ASSERT_TRUE(store_.begin_intent(intent("freeze-instance", copied.uuid)));
  ASSERT_TRUE(runtime_.freeze(copied.uuid));
  ASSERT_TRUE(runtime_.freeze(paused.uuid));
  ASSERT_TRUE(reconcile_.at_start());
  EXPECT_EQ(runtime_.status(copied.uuid), InstanceStatus::Running);
  EXPECT_EQ(runtime_.status(paused.uuid), InstanceStatus::Frozen);
  EXPECT_THAT(*store_.intents(), IsEmpty());
}

TEST_F(ANewDaemon, DropsImageFilesThatNoProjectKnows) {
  const auto image = add_image();
  ASSERT_TRUE(store_.delete_image(default_project(), image.fingerprint));
  ASSERT_TRUE(reconcile_.at_start());
  EXPECT_THAT(images_.images(), IsEmpty());
}

TEST_F(ANewDaemon, HearsOfEndsThatNobodyWatched) {
  const auto stopped = make_running("stopped");
  const auto rebooted = make_running("rebooted");
  const auto brief = make_running("brief", {}, true);
  runtime_.detach();
  runtime_.end(stopped.uuid, {.reason = ExitReport::Reason::Stopped});
  runtime_.end(rebooted.uuid, {.reason = ExitReport::Reason::Rebooted});
  runtime_.end(brief.uuid, {.reason = ExitReport::Reason::Stopped});
  connect();
  forget_events();
  ASSERT_TRUE(reconcile_.at_start());
  EXPECT_TRUE(await_action("instance-shutdown"));
  EXPECT_TRUE(await_action("instance-restarted"));
  EXPECT_TRUE(await_action("instance-deleted"));
  EXPECT_EQ(stored("stopped").config.at("volatile.last_state.power"), "STOPPED");
  EXPECT_EQ(runtime_.status(rebooted.uuid), InstanceStatus::Running);
  EXPECT_FALSE(exists("brief"));
}

TEST_F(ANewDaemon, RecordsAContainerThatRunsThoughNobodyWroteItDown) {
  const auto row = make_running("web");
  ASSERT_TRUE(store_.set_instance_volatile(row.uuid, {{"volatile.last_state.power", "STOPPED"}}));
  ASSERT_TRUE(reconcile_.at_start());
  EXPECT_EQ(stored("web").config.at("volatile.last_state.power"), "RUNNING");
}

TEST_F(ANewDaemon, StartsWhatRanBeforeTheHostWentDownByPriorityAndOnceABoot) {
  const auto ran = make_running("ran");
  const auto second = make_instance("second", {{"boot.autostart", "true"}});
  const auto first = make_instance("first", {{"boot.autostart", "true"}, {"boot.autostart.priority", "5"}});
  const auto never = make_running("never", {{"boot.autostart", "false"}});
  const auto idle = make_instance("idle");
  const auto brief = make_running("brief", {}, true);
  for (const auto& instance : {ran, never, brief}) lose(instance);
  ASSERT_TRUE(reconcile_.at_start());
  EXPECT_FALSE(exists("brief"));  // the host's end was its end too
  EXPECT_EQ(stored("ran").config.at("volatile.last_state.power"), "RUNNING");
  forget_events();
  reconcile_.autostart();
  std::vector<std::string> names;
  {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(changed_.wait_for(lock, std::chrono::seconds(20), [this] { return events_.size() == 3; }));
    for (const auto& event : events_) names.push_back(std::get<std::string>(event.metadata.at("name").value));
  }
  EXPECT_THAT(names, ElementsAre("first", "ran", "second"));
  EXPECT_EQ(runtime_.status(never.uuid), InstanceStatus::Stopped);
  EXPECT_EQ(runtime_.status(idle.uuid), InstanceStatus::Stopped);
}

TEST_F(ANewDaemon, DoesNotStartInstancesAgainInTheSameBoot) {
  std::string boot;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> boot;
  std::ofstream(context_.paths.runtime + "/boot-id") << boot << "\n";
  const auto row = make_running("web", {{"boot.autostart", "true"}});
  lose(row);
  forget_events();
  ASSERT_TRUE(reconcile_.at_start());
  EXPECT_EQ(stored("web").config.at("volatile.last_state.power"), "STOPPED");
  reconcile_.autostart();
  EXPECT_THAT(operations_.list(kRoot, std::nullopt),
              Not(Contains(testing::Field(&OperationView::status, OperationStatus::Running))));
  EXPECT_EQ(runtime_.status(row.uuid), InstanceStatus::Stopped);
  EXPECT_THAT(actions(), ElementsAre("instance-stopped"));
}

}  // namespace
}  // namespace berth::services
