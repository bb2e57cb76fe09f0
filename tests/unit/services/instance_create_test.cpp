#include "daemon/domain/idmap.hpp"
#include "daemon/services/profiles.hpp"
#include "tests/unit/services/services_fixture.hpp"

namespace berth::services {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

class CreateInstance : public ServicesTest {
 protected:
  void expect_nothing_left() {
    EXPECT_THAT(*driver_->roots(), IsEmpty());
    EXPECT_THAT(*store_.instances(kRoot, std::nullopt), IsEmpty());
    EXPECT_THAT(*manifests_.list(), IsEmpty());
    EXPECT_FALSE(locks_.holder("name/default/web"));
  }
};

TEST_F(CreateInstance, MakesARootARowAndAManifestAndTellsIt) {
  const auto image = add_image({{"os", "busybox"}, {"release", "1.35"}});
  auto web = request("web");
  web.config = {{"user.a", "b"}};
  web.description = "one";
  const auto id = create_.create(kAlice, web);
  expect_success(id);
  const auto row = stored("web");
  EXPECT_EQ(row.owner_uid, kAlice.uid);
  EXPECT_EQ(row.description, "one");
  EXPECT_EQ(row.architecture, "x86_64");
  EXPECT_THAT(row.profiles, ElementsAre(profile_name("default")));
  EXPECT_THAT(row.config, Contains(Pair("user.a", "b")));
  EXPECT_THAT(row.config, Contains(Pair("image.release", "1.35")));
  EXPECT_THAT(row.config, Contains(Pair("volatile.base_image", image.fingerprint.str())));
  EXPECT_THAT(row.config, Contains(Pair("volatile.apply_template", "create")));
  EXPECT_THAT(row.config, Contains(Pair("volatile.last_state.idmap", "[]")));
  EXPECT_THAT(row.config, Contains(Pair("volatile.idmap.base", "0")));
  EXPECT_THAT(row.config, Contains(Pair("volatile.uuid", row.uuid.str())));
  EXPECT_EQ(idmap_from_json(row.config.at("volatile.idmap.next"))->root_uid(), 1000000U);
  EXPECT_TRUE(Uuid::parse(row.config.at("volatile.cloud-init.instance-id")));
  EXPECT_THAT(*driver_->roots(), ElementsAre(row.uuid));
  EXPECT_EQ(manifests_.read(row.uuid)->config, row.config);
  EXPECT_THAT(*store_.intents(), IsEmpty());
  EXPECT_EQ(store_.image(kRoot, default_project(), image.fingerprint)->last_used_at, clock_.now());
  EXPECT_THAT(actions(), ElementsAre("instance-created"));
  EXPECT_EQ(operations_.get(kAlice, *id)->description, "Creating instance");
  EXPECT_THAT(operations_.get(kAlice, *id)->resources, ElementsAre(Pair("instances", ElementsAre("web"))));
}

TEST_F(CreateInstance, PicksAFreeNameWhenNoneIsGiven) {
  (void)add_image();
  auto nameless = request("web");
  nameless.name.reset();
  const auto id = create_.create(kRoot, nameless);
  expect_success(id);
  const auto name = operations_.get(kRoot, *id)->resources.at("instances").front();
  EXPECT_TRUE(exists(name));
}

TEST_F(CreateInstance, StartsItWhenAskedTo) {
  (void)add_image();
  auto web = request("web");
  web.start = true;
  expect_success(create_.create(kRoot, web));
  EXPECT_EQ(runtime_.status(stored("web").uuid), InstanceStatus::Running);
  EXPECT_THAT(actions(), ElementsAre("instance-created", "instance-started"));
}

TEST_F(CreateInstance, MakesAnEmptyRootWithoutAnImage) {
  auto empty = request("empty");
  empty.source = {.type = "none"};
  expect_success(create_.create(kRoot, empty));
  EXPECT_FALSE(stored("empty").config.contains("volatile.base_image"));
  EXPECT_THAT(stored("empty").config, Contains(Pair("volatile.apply_template", "create")));  // as LXD has it
  EXPECT_THAT(*driver_->roots(), SizeIs(1));
}

TEST_F(CreateInstance, FindsImagesByPrefixAndByNewestWithProperties) {
  const auto old = add_image({{"os", "old"}, {"kind", "x"}});
  clock_.advance(std::chrono::seconds(5));
  const auto fresh = add_image({{"os", "fresh"}, {"kind", "x"}});
  auto by_prefix = request("one");
  by_prefix.source = {.fingerprint = old.fingerprint.str().substr(0, 12)};
  expect_success(create_.create(kRoot, by_prefix));
  EXPECT_EQ(stored("one").config.at("volatile.base_image"), old.fingerprint.str());
  auto by_properties = request("two");
  by_properties.source = {.properties = {{"kind", "x"}}};
  by_properties.source.type = "image";
  // both match when `os` is not asked for: the newest wins
  expect_success(create_.create(kRoot, by_properties));
  EXPECT_EQ(stored("two").config.at("volatile.base_image"), fresh.fingerprint.str());
}

TEST_F(CreateInstance, UsesTheProfilesOfTheImageWhenNoneAreGiven) {
  auto image = add_image();
  const Profile small{.uuid = new_uuid(),
                      .project = default_project(),
                      .name = profile_name("small"),
                      .devices = {{"root", {{"type", "disk"}, {"path", "/"}, {"pool", "default"}}}}};
  ASSERT_TRUE(store_.insert_profile(small));
  image.profiles = {small.name};
  ASSERT_TRUE(store_.update_image(image, std::nullopt));
  expect_success(create_.create(kRoot, request("web")));
  EXPECT_THAT(stored("web").profiles, ElementsAre(small.name));
}

TEST_F(CreateInstance, GivesANestingContainerAPlainRoot) {
  access_allowed_ = true;
  const auto row = make_instance("web", {{"security.nesting", "true"}});
  EXPECT_EQ(driver_->root(row.uuid)->kind, RootSpec::Kind::Plain);
  EXPECT_EQ(driver_->root(make_instance("flat").uuid)->kind, RootSpec::Kind::Overlay);
}

TEST_F(CreateInstance, GivesIsolatedContainersMapsThatDoNotOverlap) {
  const auto one = make_instance("one", {{"security.idmap.isolated", "true"}});
  const auto two = make_instance("two", {{"security.idmap.isolated", "true"}});
  EXPECT_EQ(one.config.at("volatile.idmap.base"), "1065536");
  EXPECT_EQ(two.config.at("volatile.idmap.base"), "1131072");
}

struct Refusal {
  const char* what;
  void (*change)(CreateInstanceRequest&);
  Code code;
  const char* message;
};

class CreateInstanceRefuses : public CreateInstance, public testing::WithParamInterface<Refusal> {};

TEST_P(CreateInstanceRefuses, AtOnceAndLeavesNothing) {
  (void)add_image();
  auto web = request("web");
  GetParam().change(web);
  const auto refused = create_.create(kRoot, web);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, GetParam().code);
  EXPECT_THAT(refused.error().message, HasSubstr(GetParam().message));
  EXPECT_EQ(operations_.running(), 0U);
  expect_nothing_left();
}

INSTANTIATE_TEST_SUITE_P(
    Requests, CreateInstanceRefuses,
    testing::Values(
        Refusal{"UnknownSource", [](auto& r) { r.source.type = "what"; }, Code::InvalidArgument,
                "Unknown source type what"},
        Refusal{"Copy", [](auto& r) { r.source.type = "copy"; }, Code::InvalidArgument, "source instance"},
        Refusal{"VirtualMachine", [](auto& r) { r.type = "virtual-machine"; }, Code::NotSupported, "virtual-machine"},
        Refusal{"NoSource", [](auto& r) { r.source.alias.reset(); }, Code::InvalidArgument, "Must specify one of"},
        Refusal{"UnknownAlias", [](auto& r) { r.source.alias = "nope"; }, Code::NotFound, "Image alias not found"},
        Refusal{"UnknownFingerprint", [](auto& r) { r.source = {.fingerprint = "00"}; }, Code::NotFound,
                "Image not found"},
        Refusal{"UnknownProfile", [](auto& r) { r.profiles = {{profile_name("nope")}}; }, Code::NotFound,
                "Requested profile \"nope\" doesn't exist"},
        Refusal{"ProfileTwice",
                [](auto& r) {
                  r.profiles = {{profile_name("default"), profile_name("default")}};
                },
                Code::InvalidArgument, "Duplicate profile"},
        Refusal{"UnknownKey",
                [](auto& r) {
                  r.config = {{"no.such.key", "1"}};
                },
                Code::InvalidArgument, "Unknown configuration key: no.such.key"},
        Refusal{"BadValue",
                [](auto& r) {
                  r.config = {{"boot.autostart", "maybe"}};
                },
                Code::InvalidArgument, "maybe"},
        Refusal{"VolatileKey",
                [](auto& r) {
                  r.config = {{"volatile.idmap.next", "[]"}};
                },
                Code::InvalidArgument, "Volatile keys are read-only"},
        Refusal{"BadDevice",
                [](auto& r) {
                  r.devices = {{"d", {{"type", "what"}}}};
                },
                Code::InvalidArgument, "Invalid device type what"},
        Refusal{"NoRootDisk", [](auto& r) { r.profiles = std::vector<ProfileName>{}; }, Code::InvalidArgument,
                "No root device could be found"},
        Refusal{"UnknownPool",
                [](auto& r) {
                  r.devices = {{"root", {{"type", "disk"}, {"path", "/"}, {"pool", "nope"}}}};
                },
                Code::NotFound, "Storage pool \"nope\" not found"},
        Refusal{"UnknownArchitecture", [](auto& r) { r.architecture = "pdp11"; }, Code::InvalidArgument, "pdp11"},
        Refusal{"UnknownProject", [](auto& r) { r.project = *ProjectName::parse("nope"); }, Code::NotFound, "nope"},
        Refusal{"ControlCharacters", [](auto& r) { r.description = "a\nb"; }, Code::InvalidArgument,
                "control characters"}),
    [](const auto& test) { return std::string(test.param.what); });

TEST_F(CreateInstance, AsksForHostAccessAboutTheExpandedObject) {
  (void)add_image();
  const Profile nesting{.uuid = new_uuid(),
                        .project = default_project(),
                        .name = profile_name("nesting"),
                        .config = {{"security.nesting", "true"}}};
  ASSERT_TRUE(store_.insert_profile(nesting));
  auto web = request("web");
  web.profiles = {{profile_name("default"), nesting.name}};
  const auto denied = create_.create(kAlice, web);
  ASSERT_FALSE(denied);
  EXPECT_EQ(denied.error().code, Code::AccessDenied);
  EXPECT_THAT(denied.error().message, HasSubstr("security.nesting"));
  expect_nothing_left();
  access_allowed_ = true;
  expect_success(create_.create(kAlice, web));
  EXPECT_THAT(access_asked_, SizeIs(2));
}

// Rule 5: the object that is judged is the one that is committed, however long its tree takes.
TEST_F(CreateInstance, Rule5_IsCommittedAsItsProfilesAreWhenItsTreeIsDone) {
  Profiles profiles(context_);
  const auto meanwhile = [&](const char* key) {
    driver_->during_next_root([&profiles, key] {
      EXPECT_TRUE(profiles.update(kRoot, default_project(), profile_name("default"), {.config = ConfigMap{{key, "true"}}}));
    });
  };
  const auto before = make_instance("before").config.at("volatile.idmap.base");
  meanwhile("security.idmap.isolated");
  EXPECT_NE(make_instance("web").config.at("volatile.idmap.base"), before);
  meanwhile("security.privileged");
  EXPECT_THAT(outcome(create_.create(kRoot, request("web2"))).message, testing::HasSubstr("was given access to the host"));
  EXPECT_FALSE(exists("web2"));
}

TEST_F(CreateInstance, RefusesATakenName) {
  (void)make_instance("web");
  const auto again = create_.create(kRoot, request("web"));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::AlreadyExists);
  EXPECT_EQ(again.error().message, "Instance \"web\" already exists");
}

TEST_F(CreateInstance, GivesTheNameToOneOfTwoClientsAtOnce) {
  (void)add_image();
  std::vector<Result<OperationId>> answers;
  std::mutex mutex;
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i)
    clients.emplace_back([&] {
      auto answer = create_.create(kRoot, request("web"));
      const std::lock_guard lock(mutex);
      answers.push_back(std::move(answer));
    });
  for (auto& client : clients) client.join();
  int made = 0;
  for (const auto& answer : answers) {
    const auto error = outcome(answer);
    made += error.message.empty() ? 1 : 0;
    if (!error.message.empty()) {
      EXPECT_THAT(error.code, testing::AnyOf(Code::Busy, Code::AlreadyExists));
    }
  }
  EXPECT_EQ(made, 1);
  EXPECT_THAT(*driver_->roots(), SizeIs(1));
}

TEST_F(CreateInstance, MakesManyOfOneImageAtOnce) {
  (void)add_image();
  std::vector<OperationId> ids;
  for (int i = 0; i < 20; ++i) {
    const auto id = create_.create(kRoot, request("c" + std::to_string(i)));
    ASSERT_TRUE(id) << id.error().message;
    ids.push_back(*id);
  }
  for (const auto& id : ids) EXPECT_EQ(end_of(id).status, OperationStatus::Success);
  EXPECT_THAT(*driver_->roots(), SizeIs(20));
}

/// Every step that can fail, by name.
class AFailingCreation : public CreateInstance, public testing::WithParamInterface<std::string> {};

TEST_P(AFailingCreation, LeavesNothingBehind) {
  (void)add_image();
  const Error failure{Code::Internal, "it broke"};
  const auto& step = GetParam();
  if (step == "intent") store_.fail_next(failure, 0);
  if (step == "tree") images_.fail_next("tree", failure);
  if (step == "ensure_image" || step == "create_root") driver_->failing = step;
  if (step == "row") store_.fail_next(failure, 1);
  if (step == "manifest") manifests_.fail_next(failure);
  if (step == "end_intent") store_.fail_next(failure, 2);
  const auto error = outcome(create_.create(kRoot, request("web")));
  EXPECT_EQ(error.code, Code::Internal);
  EXPECT_NE(error.message, "");
  driver_->failing.clear();
  expect_nothing_left();
  EXPECT_THAT(*store_.intents(), IsEmpty());
  EXPECT_THAT(actions(), IsEmpty());
  expect_success(create_.create(kRoot, request("web")));  // and the name is free again
}

INSTANTIATE_TEST_SUITE_P(Steps, AFailingCreation,
                         testing::Values("intent", "tree", "ensure_image", "create_root", "row", "manifest",
                                         "end_intent"),
                         [](const auto& test) { return test.param; });

TEST_F(CreateInstance, KeepsItsIntentWhenTheUndoFailsSoThatTheNextDaemonCleansUp) {
  (void)add_image();
  driver_->failing = "delete_root";
  store_.fail_next(Error{Code::Internal, "it broke"}, 1);
  EXPECT_EQ(outcome(create_.create(kRoot, request("web"))).message, "it broke");
  EXPECT_THAT(*driver_->roots(), SizeIs(1));
  EXPECT_THAT(*store_.intents(), SizeIs(1));
  driver_->failing.clear();
  ASSERT_TRUE(reconcile_.at_start());
  expect_nothing_left();
  EXPECT_THAT(*store_.intents(), IsEmpty());
}

}  // namespace
}  // namespace berth::services
