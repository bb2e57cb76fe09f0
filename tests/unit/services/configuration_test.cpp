#include "daemon/services/images.hpp"
#include "daemon/services/instance_config.hpp"
#include "daemon/services/instance_query.hpp"
#include "daemon/services/profiles.hpp"
#include "tests/unit/services/services_fixture.hpp"

#include <nlohmann/json.hpp>

#include <sstream>

namespace berth::services {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Key;
using testing::Not;
using testing::Pair;
using testing::SizeIs;

class Configuration : public ServicesTest {
 protected:
  Error update(InstanceChanges changes, const Principal& who = kRoot) {
    return outcome(config_.update(who, default_project(), kWeb, std::move(changes)));
  }
  static UniqueFd file_with(const std::string& bytes) {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    EXPECT_EQ(write(ends[1], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    close(ends[1]);
    return UniqueFd{ends[0]};
  }
  ImportImageRequest upload(const std::string& bytes) const {
    return {.project = default_project(), .file = file_with(bytes), .filename = "bb.tar.gz"};
  }
  nlohmann::json described(InstanceDetail detail) {
    const auto text = query_.describe(kRoot, std::nullopt, std::nullopt, detail);
    EXPECT_TRUE(text);
    return text ? nlohmann::json::parse(*text) : nlohmann::json();
  }
  /// A profile that `web` uses beside `default`.
  void add_profile(const ConfigMap& config) {
    ASSERT_TRUE(profiles_.create(
        kRoot, Profile{.uuid = new_uuid(), .project = default_project(), .name = profile_name("p"), .config = config}));
  }

  InstanceConfig config_{context_};
  InstanceQuery query_{context_};
  Profiles profiles_{context_};
  ImageImport import_{context_};
  Images images_service_{context_};
};

TEST_F(Configuration, IsMergedByKeyUnlessReplaced) {
  const auto row = make_instance("web", {{"user.a", "1"}, {"user.b", "2"}});
  EXPECT_EQ(update({.config = ConfigMap{{"user.a", ""}, {"user.c", "3"}}, .description = "new"}).message, "");
  auto now = stored("web");
  EXPECT_FALSE(now.config.contains("user.a"));
  EXPECT_THAT(now.config, Contains(Pair("user.b", "2")));
  EXPECT_THAT(now.config, Contains(Pair("user.c", "3")));
  EXPECT_EQ(now.description, "new");
  EXPECT_EQ(update({.config = ConfigMap{{"user.d", "4"}}, .replace = true}).message, "");
  now = stored("web");
  EXPECT_FALSE(now.config.contains("user.b"));
  EXPECT_THAT(now.config, Contains(Pair("volatile.uuid", row.uuid.str())));  // the server's own keys stay
  EXPECT_EQ(manifests_.read(row.uuid)->config, now.config);
}

TEST_F(Configuration, LeavesTheServersOwnKeysAlone) {
  const auto row = make_instance("web");
  EXPECT_THAT(update({.config = ConfigMap{{"volatile.uuid", new_uuid().str()}}}).message,
              HasSubstr("Volatile keys are read-only"));
  EXPECT_THAT(update({.config = ConfigMap{{"image.os", "other"}}}).message, HasSubstr("Image keys are read-only"));
  auto whole = row.config;
  whole["volatile.idmap.next"] = "[]";
  whole["volatile.last_state.power"] = "an old one";
  EXPECT_EQ(update({.config = whole, .replace = true}).message, "");
  EXPECT_EQ(stored("web").config, row.config);
  whole["volatile.eth0.hwaddr"] = "00:16:3e:00:00:01";
  EXPECT_THAT(update({.config = whole, .replace = true}).message, HasSubstr("Volatile keys are read-only"));
}

TEST_F(Configuration, IsRefusedWholeWhenAnyOfItIsWrong) {
  const auto row = make_instance("web");
  EXPECT_EQ(update({.config = ConfigMap{{"user.ok", "1"}, {"no.such", "1"}}}).code, Code::InvalidArgument);
  EXPECT_EQ(update({.config = ConfigMap{{"limits.memory", "lots"}}}).code, Code::InvalidArgument);
  EXPECT_EQ(update({.profiles = std::vector<ProfileName>{profile_name("nope")}}).code, Code::NotFound);
  EXPECT_EQ(update({.profiles = std::vector<ProfileName>{}}).code, Code::InvalidArgument);  // no root disk
  EXPECT_EQ(update({.architecture = "pdp11"}).code, Code::InvalidArgument);
  EXPECT_EQ(update({.config = ConfigMap{{"user.a", "1"}}, .if_revision = row.revision + 7}).code,
            Code::RevisionMismatch);
  EXPECT_EQ(update({.config = ConfigMap{{"security.privileged", "true"}}}, kAlice).code, Code::AccessDenied);
  EXPECT_EQ(stored("web").config, row.config);
  EXPECT_EQ(update({.config = ConfigMap{{"user.a", "1"}}, .if_revision = row.revision}).message, "");
}

TEST_F(Configuration, GivesANewIdMapForTheNextStartWhenItAsksForOne) {
  (void)make_instance("web");
  EXPECT_EQ(update({.config = ConfigMap{{"security.idmap.isolated", "true"}}}).message, "");
  EXPECT_EQ(stored("web").config.at("volatile.idmap.base"), "1065536");
}

TEST_F(Configuration, GivesLimitsToARunningContainerAndTakesTheChangeBackWhenItCannot) {
  const auto row = make_running("web");
  EXPECT_EQ(update({.config = ConfigMap{{"limits.processes", "50"}}}).message, "");
  ASSERT_THAT(runtime_.container(row.uuid)->limits, Contains(Pair("pids.max", "50")));
  runtime_.refuse_next_limits(Error{Code::Internal, "the kernel says no"});
  EXPECT_THAT(update({.config = ConfigMap{{"limits.processes", "60"}}}).message, HasSubstr("the kernel says no"));
  EXPECT_EQ(stored("web").config.at("limits.processes"), "50");
  EXPECT_EQ(update({.config = ConfigMap{{"limits.processes", ""}}}).message, "");
  EXPECT_THAT(runtime_.container(row.uuid)->limits, Contains(Pair("pids.max", "max")));
}

TEST_F(Configuration, OfAProfileReachesEveryUserOrNone) {
  add_profile({{"limits.processes", "10"}});
  for (const auto* name : {"web", "db"}) {
    (void)make_instance(name);
    auto row = stored(name);
    row.profiles.push_back(profile_name("p"));
    ASSERT_TRUE(store_.update_instance(row, std::nullopt));
    expect_success(lifecycle_.start(kRoot, default_project(), row.name));
  }
  EXPECT_TRUE(
      profiles_.update(kRoot, default_project(), profile_name("p"), {.config = ConfigMap{{"limits.processes", "20"}}}));
  for (const auto* name : {"web", "db"})
    EXPECT_THAT(runtime_.container(stored(name).uuid)->limits, Contains(Pair("pids.max", "20")));
  runtime_.refuse_next_limits(Error{Code::Internal, "the kernel says no"});
  const auto failed =
      profiles_.update(kRoot, default_project(), profile_name("p"), {.config = ConfigMap{{"limits.processes", "30"}}});
  ASSERT_FALSE(failed);
  EXPECT_EQ(store_.profile(kRoot, default_project(), profile_name("p"))->config.at("limits.processes"), "20");
  for (const auto* name : {"web", "db"})
    EXPECT_THAT(runtime_.container(stored(name).uuid)->limits, Contains(Pair("pids.max", "20")));
  const auto lock = locks_.lock(instance_entity(stored("db").uuid), "Instance db", "start", EntityLocks::Purpose::User);
  EXPECT_EQ(profiles_.update(kRoot, default_project(), profile_name("p"), {.description = "x"}).error().code,
            Code::Busy);
}

TEST_F(Configuration, OfAProfileNeedsHostAccessForWhatItBringsToItsUsers) {
  add_profile({});
  const auto denied = profiles_.update(kAlice, default_project(), profile_name("p"),
                                       {.config = ConfigMap{{"security.nesting", "true"}}});
  EXPECT_EQ(denied.error().code, Code::AccessDenied);
  EXPECT_EQ(profiles_
                .create(kAlice, Profile{.uuid = new_uuid(),
                                        .project = default_project(),
                                        .name = profile_name("q"),
                                        .config = {{"raw.lxc", "lxc.tty.max = 3"}}})
                .error()
                .code,
            Code::AccessDenied);
}

TEST_F(Configuration, KeepsTheProfileThatEverythingStandsOn) {
  (void)make_instance("web");
  const auto name = profile_name("default");
  EXPECT_EQ(profiles_.rename(kRoot, default_project(), name, profile_name("x")).error().message,
            "The \"default\" profile cannot be renamed");
  EXPECT_EQ(profiles_.remove(kRoot, default_project(), name).error().message,
            "The \"default\" profile cannot be deleted");
  EXPECT_EQ(store_.profile(kRoot, default_project(), name)->description, "Default LXD profile");
  const auto moved = profiles_.update(kRoot, default_project(), name, {.devices = DeviceMap{}, .replace = true});
  EXPECT_THAT(moved.error().message, HasSubstr("Instance web uses this profile"));
  const auto rows = profiles_.describe(kRoot, default_project(), std::nullopt);
  EXPECT_THAT(*rows, SizeIs(1));
}

TEST_F(Configuration, IsShownWithStateForFiftyInstances) {
  for (int i = 0; i < 50; ++i) (void)make_instance("c" + std::to_string(i));
  expect_success(lifecycle_.start(kRoot, default_project(), instance_name("c7")));
  const auto rows = described(InstanceDetail::Full);
  EXPECT_THAT(rows, SizeIs(50));
  EXPECT_TRUE(rows.front().contains("state"));
  const auto running = *query_.state(kRoot, default_project(), instance_name("c7"));
  EXPECT_EQ(std::get<std::string>(running.at("status").value), "Running");
  EXPECT_THAT(std::get<Document>(running.at("network").value), Contains(Key("lo")));
  EXPECT_THAT(std::get<Document>(running.at("disk").value), Contains(Key("root")));
  const auto stopped = *query_.state(kRoot, default_project(), instance_name("c8"));
  EXPECT_EQ(std::get<std::int64_t>(stopped.at("status_code").value), 102);
  EXPECT_THAT(std::get<Document>(stopped.at("network").value), IsEmpty());
  EXPECT_THAT(std::get<Document>(stopped.at("disk").value), IsEmpty());
  const auto row = query_.row(kRoot, default_project(), instance_name("c7"));
  EXPECT_GT(row->init_pid, 0);
  EXPECT_EQ(query_.by_pid(kRoot, row->init_pid)->name, row->name);
  EXPECT_EQ(query_.describe(kRoot, default_project(), {{instance_name("nope")}}, InstanceDetail::Config).error().code,
            Code::NotFound);
}

TEST_F(Configuration, IsListedAsItIsAfterEachChange) {
  auto web = make_instance("web");
  (void)make_instance("db");
  const auto row = [this](const std::string& name) {
    const auto rows = described(InstanceDetail::Config);
    EXPECT_THAT(rows, SizeIs(2));
    for (const auto& one : rows)
      if (one["name"] == name) return one;
    return nlohmann::json();
  };
  EXPECT_EQ(row("web"), row("web"));
  EXPECT_EQ(row("web")["status"], "Stopped");
  expect_success(update({.config = ConfigMap{{"user.a", "1"}}}));
  EXPECT_EQ(row("web")["config"]["user.a"], "1");
  expect_success(lifecycle_.start(kRoot, default_project(), kWeb));
  EXPECT_EQ(row("web")["status"], "Running");
  EXPECT_EQ(row("web")["last_used_at"], to_microseconds(store_.instance_by_uuid(web.uuid)->last_used_at));
  ASSERT_TRUE(store_.touch_instance(web.uuid, Timestamp{std::chrono::seconds{5}}));
  EXPECT_EQ(row("web")["last_used_at"], 5'000'000);
  auto profile = *store_.profile(kRoot, default_project(), profile_name("default"));
  profile.config["user.b"] = "2";
  ASSERT_TRUE(store_.update_profile(profile, std::nullopt));
  EXPECT_EQ(row("db")["expanded_config"]["user.b"], "2");
  ASSERT_TRUE(store_.rename_profile(default_project(), profile_name("default"), profile_name("other")));
  EXPECT_EQ(row("db")["profiles"], nlohmann::json::array({"other"}));
  ASSERT_TRUE(store_.rename_instance(web.uuid, instance_name("web2")));
  EXPECT_EQ(row("web2")["config"]["user.a"], "1");
  ASSERT_TRUE(store_.delete_instance(web.uuid));
  EXPECT_THAT(described(InstanceDetail::Config), SizeIs(1));
}

TEST_F(Configuration, IsListedInTwoLinesOfWhichTheFirstSaysWhatSeldomChanges) {
  (void)make_instance("web");
  const auto lines = [this] {
    const auto text = *query_.describe(kRoot, std::nullopt, std::nullopt, InstanceDetail::Full);
    std::vector<std::string> out;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) out.push_back(line);
    return out;
  };
  const auto before = lines();
  ASSERT_THAT(before, SizeIs(4));
  EXPECT_EQ(before.front(), "[");
  EXPECT_EQ(before.back(), "]");
  EXPECT_THAT(before[1], HasSubstr("\"name\":\"web\""));
  EXPECT_THAT(before[2], HasSubstr("\"status\":\"Stopped\""));
  EXPECT_THAT(before[2], HasSubstr("\"snapshots\":[]"));
}

TEST_F(Configuration, OfAnImageComesFromItsArchiveAndTheRequest) {
  images_.describe_next({.architecture = "amd64", .properties = {{"os", "x"}, {"release", "1"}}});
  auto request = upload("bytes");
  request.properties = {{"os", "y"}};
  request.aliases = {{alias_name("bb"), "first"}};
  const auto id = import_.import(kRoot, std::move(request));
  expect_success(id);
  const auto view = *operations_.get(kRoot, *id);
  EXPECT_EQ(view.description, "Downloading image");
  EXPECT_EQ(std::get<std::string>(view.metadata.at("size").value), "5");
  const auto image = images_service_.resolve(kRoot, default_project(), "bb");
  ASSERT_TRUE(image);
  EXPECT_EQ(image->fingerprint.str(), std::get<std::string>(view.metadata.at("fingerprint").value));
  EXPECT_EQ(image->architecture, "x86_64");
  EXPECT_THAT(image->properties, ElementsAre(Pair("os", "y"), Pair("release", "1")));
  EXPECT_EQ(outcome(import_.import(kRoot, upload("bytes"))).message, "Image with same fingerprint already exists");
  EXPECT_EQ(images_.staged(), 0U);
  const Principal guest{};
  EXPECT_EQ(images_service_.resolve(guest, default_project(), "bb").error().code, Code::NotFound);
  EXPECT_TRUE(images_service_.update(kRoot, default_project(), image->fingerprint, {.is_public = true}));
  EXPECT_TRUE(images_service_.resolve(guest, default_project(), "bb"));
  expect_success(import_.remove(kRoot, default_project(), image->fingerprint));
  EXPECT_THAT(images_.images(), IsEmpty());
  EXPECT_EQ(import_.remove(kRoot, default_project(), image->fingerprint).error().message, "Image not found");
}

class AFailingImport : public Configuration, public testing::WithParamInterface<std::string> {};

TEST_P(AFailingImport, LeavesNothingBehind) {
  const Error failure{Code::Internal, "it broke"};
  const auto& step = GetParam();
  if (step == "stage" || step == "commit") images_.fail_next(step, failure);
  if (step == "intent") store_.fail_next(failure, 0);
  if (step == "row") store_.fail_next(failure, 1);
  if (step == "end_intent") store_.fail_next(failure, 2);
  EXPECT_EQ(outcome(import_.import(kRoot, upload("bytes"))).message, "it broke");
  EXPECT_THAT(images_.images(), IsEmpty());
  EXPECT_EQ(images_.staged(), 0U);
  EXPECT_THAT(*store_.images(kRoot, default_project()), IsEmpty());
  EXPECT_THAT(*store_.intents(), IsEmpty());
  EXPECT_THAT(actions(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Steps, AFailingImport, testing::Values("stage", "intent", "commit", "row", "end_intent"),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace berth::services
