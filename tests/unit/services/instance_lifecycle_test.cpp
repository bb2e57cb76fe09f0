#include "daemon/services/instance_run.hpp"
#include "tests/unit/services/services_fixture.hpp"

namespace berth::services {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

class InstanceLife : public ServicesTest {
 protected:
  Error start() { return outcome(lifecycle_.start(kRoot, default_project(), kWeb)); }
  Error stop(StopRequest request = {}) { return outcome(lifecycle_.stop(kRoot, default_project(), kWeb, request)); }
  InstanceStatus status() { return runtime_.status(stored("web").uuid); }
};

TEST_F(InstanceLife, StartsByThePlanOfItsConfiguration) {
  const auto row = make_instance("web", {{"limits.memory", "64MiB"}});
  clock_.advance(std::chrono::seconds(9));
  forget_events();
  EXPECT_EQ(start().message, "");
  const auto container = runtime_.container(row.uuid);
  ASSERT_TRUE(container);
  EXPECT_EQ(container->plan.uuid, row.uuid);
  EXPECT_EQ(container->plan.root.kind, RootSpec::Kind::Overlay);
  EXPECT_EQ(container->plan.idmap.root_uid(), 1000000U);
  EXPECT_EQ(container->plan.log_file, context_.paths.logs + "/" + row.uuid.str() + "/lxc.log");
  EXPECT_THAT(container->plan.lxc_config, Contains(Pair("lxc.uts.name", "web")));
  const auto now = stored("web");
  EXPECT_THAT(now.config, Contains(Pair("volatile.last_state.power", "RUNNING")));
  EXPECT_THAT(now.config, Contains(Pair("volatile.idmap.current", row.config.at("volatile.idmap.next"))));
  EXPECT_THAT(now.config, Not(Contains(Pair("volatile.apply_template", testing::_))));
  EXPECT_EQ(now.last_used_at, clock_.now());
  EXPECT_THAT(actions(), ElementsAre("instance-started"));
  const auto event = events().front();
  EXPECT_EQ(std::get<std::string>(std::get<Document>(event.metadata.at("requestor").value).at("protocol").value),
            "unix");
}

TEST_F(InstanceLife, RefusesWhatItsStateForbidsInLxdsWords) {
  (void)make_instance("web");
  EXPECT_EQ(stop().message, "The instance is already stopped");
  EXPECT_EQ(outcome(lifecycle_.restart(kRoot, default_project(), kWeb, {})).message, "The instance is already stopped");
  EXPECT_EQ(outcome(lifecycle_.freeze(kRoot, default_project(), kWeb)).message, "The container isn't running");
  EXPECT_EQ(outcome(lifecycle_.unfreeze(kRoot, default_project(), kWeb)).message, "The container isn't running");
  EXPECT_EQ(start().message, "");
  EXPECT_EQ(start().message, "The instance is already running");
  EXPECT_EQ(start().code, Code::FailedPrecondition);
  EXPECT_EQ(outcome(lifecycle_.unfreeze(kRoot, default_project(), kWeb)).message, "The container is already running");
  EXPECT_EQ(outcome(lifecycle_.remove(kRoot, default_project(), kWeb, false)).message, "Instance is running");
  EXPECT_EQ(outcome(lifecycle_.rename(kRoot, default_project(), kWeb, instance_name("other"))).message,
            "Renaming of running instance not allowed");
  EXPECT_EQ(outcome(lifecycle_.start(kRoot, default_project(), instance_name("nope"))).code, Code::NotFound);
}

TEST_F(InstanceLife, StaysStoppedWhenItsStartIsRefused) {
  (void)make_instance("web");
  forget_events();
  runtime_.refuse_next_start(Error{Code::FailedPrecondition, "  lxc ERROR: no init"});
  EXPECT_EQ(start().message, "  lxc ERROR: no init");
  EXPECT_EQ(status(), InstanceStatus::Stopped);
  EXPECT_THAT(actions(), IsEmpty());
  EXPECT_THAT(stored("web").config, Not(Contains(Pair("volatile.last_state.power", "RUNNING"))));
  EXPECT_EQ(start().message, "");
}

TEST_F(InstanceLife, TellsASecondClientWhatItIsBusyWith) {
  const auto row = make_instance("web");
  runtime_.hold_starts(true);
  const auto first = lifecycle_.start(kRoot, default_project(), kWeb);
  ASSERT_TRUE(first);
  for (const auto& second :
       {lifecycle_.start(kAlice, default_project(), kWeb), lifecycle_.stop(kAlice, default_project(), kWeb, {}),
        lifecycle_.remove(kAlice, default_project(), kWeb, true)}) {
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Code::Busy);
    EXPECT_EQ(second.error().message, "Instance web is busy running a start operation");
  }
  runtime_.hold_starts(false);
  expect_success(first);
  EXPECT_EQ(runtime_.status(row.uuid), InstanceStatus::Running);
}

TEST_F(InstanceLife, StopsCleanlyAndRecordsIt) {
  (void)make_running("web");
  forget_events();
  EXPECT_EQ(stop().message, "");
  EXPECT_EQ(status(), InstanceStatus::Stopped);
  EXPECT_THAT(stored("web").config, Contains(Pair("volatile.last_state.power", "STOPPED")));
  await_ends(1);
  EXPECT_THAT(actions(), ElementsAre("instance-shutdown"));  // once, though the supervisor reported the end too
}

TEST_F(InstanceLife, StopsByForceWhenAskedToOrGivenNoTime) {
  (void)make_running("web");
  runtime_.ignore_halt(true);
  forget_events();
  EXPECT_EQ(stop({.force = true}).message, "");
  EXPECT_EQ(start().message, "");
  EXPECT_EQ(stop({.timeout = std::chrono::seconds(0)}).message, "");
  EXPECT_THAT(actions(), ElementsAre("instance-stopped", "instance-started", "instance-stopped"));
}

TEST_F(InstanceLife, RunsOnWhenACleanStopTakesTooLong) {
  (void)make_running("web");
  runtime_.ignore_halt(true);
  const auto error = stop({.timeout = std::chrono::seconds(1)});
  EXPECT_EQ(error.code, Code::FailedPrecondition);
  EXPECT_EQ(status(), InstanceStatus::Running);
  EXPECT_THAT(stored("web").config, Contains(Pair("volatile.last_state.power", "RUNNING")));
}

TEST_F(InstanceLife, RunsOnWhenACleanStopIsCancelled) {
  (void)make_running("web");
  runtime_.ignore_halt(true);
  const auto id = lifecycle_.stop(kRoot, default_project(), kWeb, {});
  ASSERT_TRUE(operations_.cancel(kRoot, *id));
  EXPECT_EQ(end_of(*id).status, OperationStatus::Cancelled);
  EXPECT_EQ(status(), InstanceStatus::Running);
}

TEST_F(InstanceLife, IsKilledByAForcedStopWhileACleanOneWaits) {
  (void)make_running("web");
  runtime_.ignore_halt(true);
  const auto clean = lifecycle_.stop(kRoot, default_project(), kWeb, {});
  ASSERT_TRUE(clean);
  EXPECT_EQ(stop({.force = true}).message, "");
  expect_success(clean);
  EXPECT_EQ(status(), InstanceStatus::Stopped);
  EXPECT_THAT(stored("web").config, Contains(Pair("volatile.last_state.power", "STOPPED")));
  EXPECT_EQ(start().message, "");
}

TEST_F(InstanceLife, IsDeletedAfterAnyFullStopWhenEphemeral) {
  (void)make_running("web", {}, true);
  EXPECT_EQ(stop({.force = true}).message, "");
  EXPECT_FALSE(exists("web"));
  EXPECT_THAT(*driver_->roots(), IsEmpty());
  EXPECT_THAT(*manifests_.list(), IsEmpty());
}

TEST_F(InstanceLife, SurvivesARestartEvenWhenEphemeral) {
  const auto row = make_running("web", {}, true);
  forget_events();
  expect_success(lifecycle_.restart(kRoot, default_project(), kWeb, {}));
  EXPECT_EQ(runtime_.status(row.uuid), InstanceStatus::Running);
  await_ends(1);
  EXPECT_TRUE(exists("web"));
  EXPECT_THAT(actions(), ElementsAre("instance-restarted"));
}

TEST_F(InstanceLife, FreezesAndGoesOn) {
  (void)make_running("web");
  forget_events();
  expect_success(lifecycle_.freeze(kRoot, default_project(), kWeb));
  EXPECT_EQ(status(), InstanceStatus::Frozen);
  EXPECT_EQ(outcome(lifecycle_.freeze(kRoot, default_project(), kWeb)).message, "The container is already frozen");
  expect_success(lifecycle_.unfreeze(kRoot, default_project(), kWeb));
  EXPECT_EQ(status(), InstanceStatus::Running);
  EXPECT_THAT(actions(), ElementsAre("instance-paused", "instance-resumed"));
}

TEST_F(InstanceLife, ThawsAFrozenContainerToStopIt) {
  (void)make_running("web");
  expect_success(lifecycle_.freeze(kRoot, default_project(), kWeb));
  EXPECT_EQ(stop().message, "");
  EXPECT_EQ(status(), InstanceStatus::Stopped);
}

TEST_F(InstanceLife, EndsWithADeletionThatTakesEverythingAlong) {
  const auto row = make_instance("web");
  const auto logs = context_.paths.logs + "/" + row.uuid.str();
  std::filesystem::create_directory(logs);
  forget_events();
  expect_success(lifecycle_.remove(kRoot, default_project(), kWeb, false));
  EXPECT_FALSE(exists("web"));
  EXPECT_THAT(*driver_->roots(), IsEmpty());
  EXPECT_THAT(*manifests_.list(), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(logs));
  EXPECT_THAT(*store_.intents(), IsEmpty());
  EXPECT_THAT(actions(), ElementsAre("instance-deleted"));
}

TEST_F(InstanceLife, IsKilledFirstWhenItsDeletionIsForced) {
  (void)make_running("web");
  expect_success(lifecycle_.remove(kRoot, default_project(), kWeb, true));
  EXPECT_FALSE(exists("web"));
  await_ends(1);
}

TEST_F(InstanceLife, IsNotDeletedWhenProtected) {
  (void)make_instance("web", {{"security.protection.delete", "true"}});
  EXPECT_EQ(outcome(lifecycle_.remove(kRoot, default_project(), kWeb, true)).code, Code::FailedPrecondition);
  EXPECT_TRUE(exists("web"));
}

TEST_F(InstanceLife, StaysWholeWhenItsRootCannotBeDeleted) {
  (void)make_instance("web");
  driver_->failing = "delete_root";
  EXPECT_EQ(outcome(lifecycle_.remove(kRoot, default_project(), kWeb, false)).message, "the root is stuck");
  driver_->failing.clear();
  EXPECT_TRUE(exists("web"));
  EXPECT_THAT(*store_.intents(), IsEmpty());  // else the next daemon would delete it
  ASSERT_TRUE(reconcile_.at_start());
  EXPECT_TRUE(exists("web"));
}

TEST_F(InstanceLife, GoesOnUnderANewName) {
  const auto row = make_instance("web");
  (void)make_instance("taken");
  EXPECT_EQ(outcome(lifecycle_.rename(kRoot, default_project(), kWeb, instance_name("taken"))).message,
            "Name \"taken\" already in use");
  forget_events();
  expect_success(lifecycle_.rename(kRoot, default_project(), kWeb, instance_name("www")));
  EXPECT_FALSE(exists("web"));
  EXPECT_EQ(stored("www").uuid, row.uuid);
  EXPECT_EQ(manifests_.read(row.uuid)->name, instance_name("www"));
  EXPECT_THAT(actions(), ElementsAre("instance-renamed"));
  const auto details = std::get<Document>(events().front().metadata.at("context").value);
  EXPECT_EQ(std::get<std::string>(details.at("old_name").value), "web");
}

TEST_F(InstanceLife, GetsAPlainRootAtTheNextStartWhenNestingWasSetLater) {
  auto row = make_instance("web");
  row.config["security.nesting"] = "true";
  ASSERT_TRUE(store_.update_instance(row, std::nullopt));
  EXPECT_EQ(start().message, "");
  EXPECT_EQ(runtime_.container(row.uuid)->plan.root.kind, RootSpec::Kind::Plain);
}

TEST_F(InstanceLife, IsStartedFromOutsideThroughAnOperationOfItsOwn) {
  const auto row = make_instance("web");
  clock_.advance(std::chrono::seconds(1));
  forget_events();
  EXPECT_TRUE(runtime_.start_from_outside(row.uuid, "berth-container@web.service"));
  ASSERT_TRUE(await_action("instance-started"));
  OperationView found = operations_.list(kRoot, std::nullopt).back();
  EXPECT_EQ(found.description, "Starting instance");
  EXPECT_EQ(end_of(found.id).status, OperationStatus::Success);
  EXPECT_THAT(stored("web").config, Contains(Pair("volatile.last_state.power", "RUNNING")));
  EXPECT_EQ(stop().message, "");
}

TEST_F(InstanceLife, IsFreeAgainAfterAFailedStartFromOutside) {
  const auto row = make_instance("web");
  clock_.advance(std::chrono::seconds(1));
  runtime_.refuse_next_start(Error{Code::FailedPrecondition, "no init"});
  EXPECT_FALSE(runtime_.start_from_outside(row.uuid, "berth-container@web.service"));
  await_ends(1);
  const auto found = operations_.list(kRoot, std::nullopt).back();
  EXPECT_EQ(end_of(found.id).error->message, "no init");
  EXPECT_EQ(start().message, "");
}

TEST_F(InstanceLife, RefusesAStartFromOutsideOfAnUnknownUnitOrABusyInstance) {
  EXPECT_EQ(planner_.prepare("berth-container@nope.service", "").error().code, Code::NotFound);
  const auto row = make_instance("web");
  const auto lock = locks_.lock(instance_entity(row.uuid), "Instance web", "delete", EntityLocks::Purpose::User);
  EXPECT_EQ(planner_.prepare("berth-container@web.service", "").error().code, Code::Busy);
}

TEST_F(InstanceLife, IsRecordedWhenTheGuestPowersOff) {
  const auto row = make_running("web");
  forget_events();
  runtime_.end(row.uuid, {.reason = ExitReport::Reason::Stopped});
  await_ends(1);
  EXPECT_THAT(actions(), ElementsAre("instance-shutdown"));
  EXPECT_THAT(stored("web").config, Contains(Pair("volatile.last_state.power", "STOPPED")));
}

TEST_F(InstanceLife, StartsAnewWhenTheGuestReboots) {
  const auto row = make_running("web", {}, true);
  forget_events();
  runtime_.end(row.uuid, {.reason = ExitReport::Reason::Rebooted});
  await_ends(1);
  EXPECT_EQ(runtime_.status(row.uuid), InstanceStatus::Running);
  EXPECT_THAT(actions(), ElementsAre("instance-restarted"));
}

TEST_F(InstanceLife, IsOverWhenAnEphemeralGuestPowersOff) {
  const auto row = make_running("web", {}, true);
  runtime_.end(row.uuid, {.reason = ExitReport::Reason::Stopped});
  await_ends(1);
  EXPECT_FALSE(exists("web"));
}

TEST_F(InstanceLife, KeepsTheFilesOfADeletedImageUntilTheLastLayerGoes) {
  const auto image = add_image();
  (void)make_instance("web");
  ASSERT_TRUE(store_.delete_image(default_project(), image.fingerprint));
  EXPECT_TRUE(drop_unknown_image(context_, image.fingerprint));
  EXPECT_THAT(images_.images(), ElementsAre(image.fingerprint));
  expect_success(lifecycle_.remove(kRoot, default_project(), kWeb, false));
  EXPECT_THAT(images_.images(), IsEmpty());
}

TEST_F(InstanceLife, EndsInOneStateWhenManyClientsPullAtIt) {
  const auto row = make_instance("web");
  std::vector<std::thread> clients;
  for (int client = 0; client < 4; ++client)
    clients.emplace_back([this] {
      for (int turn = 0; turn < 10; ++turn) {
        (void)outcome(lifecycle_.start(kRoot, default_project(), kWeb));
        (void)outcome(lifecycle_.stop(kRoot, default_project(), kWeb, {.force = true}));
      }
    });
  for (auto& client : clients) client.join();
  ASSERT_TRUE(runtime_.settle());
  const bool runs = runtime_.status(row.uuid) == InstanceStatus::Running;
  EXPECT_EQ(stored("web").config.at("volatile.last_state.power"), runs ? "RUNNING" : "STOPPED");
  EXPECT_EQ(operations_.running(), 0U);
}

}  // namespace
}  // namespace berth::services
