#include "daemon/services/projects.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "daemon/services/backup_import.hpp"
#include "daemon/services/images.hpp"
#include "daemon/services/instance_backups.hpp"
#include "daemon/services/instance_config.hpp"
#include "daemon/services/instance_move.hpp"
#include "daemon/services/instance_query.hpp"
#include "daemon/services/profiles.hpp"
#include "daemon/services/snapshots.hpp"
#include "tests/unit/services/services_fixture.hpp"

namespace berth::services {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const DeviceMap kRootDisk{{"root", {{"type", "disk"}, {"path", "/"}, {"pool", "default"}}}};

class ProjectUse : public ServicesTest {
 protected:
  void SetUp() override { (void)add_image(); }

  void make(ConfigMap config, const ProjectName& name = kWebProject) {
    const auto made = projects_.create(kRoot, name, std::move(config), "");
    ASSERT_TRUE(made) << made.error().message;
  }
  /// A project that shares the images, and whose profile has a root disk.
  void make_usable(ConfigMap config) {
    config["features.images"] = "false";
    make(std::move(config));
    ASSERT_TRUE(profiles_.update(kRoot, kWebProject, profile_name("default"), {.devices = kRootDisk}));
  }
  Error add(const std::string& name, const ConfigMap& config = {}) {
    auto wanted = request(name);
    wanted.project = kWebProject;
    wanted.config = config;
    return outcome(create_.create(kRoot, wanted));
  }
  Error change(const std::string& name, const ConfigMap& config) {
    return outcome(config_.update(kRoot, kWebProject, instance_name(name), {.config = config}));
  }
  Error change_config(const std::string& name, const ConfigMap& config) {
    return outcome(config_.update(kRoot, default_project(), instance_name(name), {.config = config}));
  }
  Error change_project(const ConfigMap& config) {
    const auto changed = projects_.update(kRoot, kWebProject, {.config = config});
    return changed ? Error{Code::Internal, ""} : changed.error();
  }
  std::vector<std::string> users() {
    const auto rows = projects_.describe(kRoot, std::vector{kWebProject});
    EXPECT_TRUE(rows);
    std::vector<std::string> out;
    for (const auto& user : std::get<std::vector<Document>>(rows->front().at("used_by").value))
      out.push_back(std::get<std::string>(user.at("kind").value) + "/" + std::get<std::string>(user.at("name").value));
    return out;
  }

  Projects projects_{context_};
  Profiles profiles_{context_};
  InstanceConfig config_{context_};
  InstanceQuery query_{context_};
  Snapshots snapshots_{context_};
  InstanceMove move_{context_};
};

TEST_F(ProjectUse, ANewOneHasAnEmptyProfileOfItsOwn) {
  make({});
  const auto profile = store_.profile(kRoot, kWebProject, profile_name("default"));
  ASSERT_TRUE(profile);
  EXPECT_EQ(profile->project, kWebProject);
  EXPECT_EQ(profile->description, "Default LXD profile for project web");
  EXPECT_THAT(profile->devices, IsEmpty());
  EXPECT_EQ(projects_.create(kRoot, kWebProject, {}, "").error().code, Code::AlreadyExists);
  EXPECT_THAT(users(), ElementsAre("profiles/default"));
  EXPECT_THAT(actions(), Contains("project-created"));
}

TEST_F(ProjectUse, WhatItSharesIsTheDefaultProjects) {
  make({{"features.images", "false"}, {"features.profiles", "false"}});
  EXPECT_EQ(store_.profile(kRoot, kWebProject, profile_name("default"))->project, default_project());
  EXPECT_EQ(add("c1").message, "");
  EXPECT_THAT(users(), ElementsAre("instances/c1"));
  EXPECT_FALSE(exists("c1"));
  EXPECT_EQ(store_.instances_with_profile(default_project(), profile_name("default"))->size(), 1U);
}

TEST_F(ProjectUse, ItsInstancesAreApartFromThoseOfTheSameNameElsewhere) {
  make_usable({});
  const auto outside = make_instance("c1");
  EXPECT_EQ(add("c1").message, "");
  const auto inside = store_.instance(kRoot, kWebProject, instance_name("c1"));
  ASSERT_TRUE(inside);
  EXPECT_NE(inside->uuid, outside.uuid);
  expect_success(lifecycle_.start(kRoot, kWebProject, instance_name("c1")));
  EXPECT_EQ(runtime_.status(outside.uuid), InstanceStatus::Stopped);
  EXPECT_EQ(query_.list(kRoot, kWebProject)->size(), 1U);
  EXPECT_EQ(query_.list(kRoot, std::nullopt)->size(), 2U);
}

TEST_F(ProjectUse, OwnImagesHideThoseOfTheDefaultProject) {
  make({});
  EXPECT_EQ(add("c1").code, Code::NotFound);
  EXPECT_THAT(*Images(context_).list(kRoot, kWebProject), IsEmpty());
}

TEST_F(ProjectUse, WhatIsUsedOrDefaultIsNeitherRenamedNorDeleted) {
  make_usable({});
  EXPECT_EQ(add("c1").message, "");
  EXPECT_EQ(projects_.remove(kRoot, kWebProject).error().message, "Only empty projects can be removed");
  EXPECT_EQ(outcome(projects_.rename(kRoot, kWebProject, "site")).message, "Only empty projects can be renamed");
  EXPECT_EQ(change_project({{"features.images", "true"}}).message,
            "Project feature \"features.images\" cannot be enabled on non-empty projects");
  EXPECT_EQ(projects_.remove(kRoot, default_project()).error().code, Code::AccessDenied);
  EXPECT_EQ(projects_.rename(kRoot, default_project(), "site").error().code, Code::AccessDenied);
  expect_success(lifecycle_.remove(kRoot, kWebProject, instance_name("c1"), false));
  EXPECT_EQ(outcome(projects_.rename(kRoot, kWebProject, "a_b")).message, "Project names may not contain underscores");
  EXPECT_EQ(outcome(projects_.rename(kRoot, kWebProject, "default")).message, "A project named \"default\" already exists");
  expect_success(projects_.rename(kRoot, kWebProject, "site"));
  EXPECT_TRUE(projects_.remove(kRoot, *ProjectName::parse("site")));
  EXPECT_EQ(projects_.list(kRoot)->size(), 1U);
}

TEST_F(ProjectUse, AFeatureOfAnEmptyOneTakesItsProfilesAwayAndBringsThemBack) {
  make({});
  EXPECT_EQ(change_project({{"features.profiles", "false"}}).message, "");
  EXPECT_THAT(users(), IsEmpty());
  EXPECT_EQ(change_project({{"features.profiles", "true"}, {"restricted", "true"}}).message, "");
  EXPECT_THAT(users(), ElementsAre("profiles/default"));
}

TEST_F(ProjectUse, AChangeOfAnotherRevisionIsRefused) {
  make({});
  EXPECT_TRUE(projects_.update(kRoot, kWebProject, {.description = "one", .if_revision = 1}));
  EXPECT_EQ(projects_.update(kRoot, kWebProject, {.description = "two", .if_revision = 1}).error().code, Code::RevisionMismatch);
}

TEST_F(ProjectUse, ItsLastPlaceIsGivenOnce) {
  make_usable({{"limits.containers", "1"}});
  auto one = request("c1");
  auto two = request("c2");
  one.project = two.project = kWebProject;
  // Both are told yes before either has its row, or one of them is refused at once: one row comes of it in any case.
  const auto first = create_.create(kRoot, one);
  const auto second = create_.create(kRoot, two);
  const auto messages = std::vector{outcome(first).message, outcome(second).message};
  EXPECT_THAT(messages, Contains("").Times(1));
  EXPECT_EQ(store_.instances(kRoot, kWebProject)->size(), 1U);
  EXPECT_THAT(change_project({{"limits.containers", "0"}}).message,
              HasSubstr("Can't change the limits and restrictions of project \"web\": Reached maximum number"));
}

// Rule 5 of the security rules: whatever way a forbidden key takes, the object that would be committed is judged.
TEST_F(ProjectUse, SecurityRule5HoldsForCreationChangeCopyProfileAndRestore) {
  make_usable({{"restricted", "true"}, {"restricted.snapshots", "allow"}});
  EXPECT_THAT(add("bad", {{"security.privileged", "true"}}).message, HasSubstr("Privileged containers are forbidden"));
  EXPECT_EQ(add("c1").message, "");
  EXPECT_THAT(change("c1", {{"security.privileged", "true"}}).message, HasSubstr("Privileged containers are forbidden"));
  const auto by_profile =
      profiles_.update(kRoot, kWebProject, profile_name("default"), {.config = ConfigMap{{"security.privileged", "true"}}});
  EXPECT_THAT(by_profile.error().message, HasSubstr("Privileged containers are forbidden"));
  const auto new_profile = profiles_.create(
      kRoot, Profile{.uuid = new_uuid(), .project = kWebProject, .name = profile_name("p"), .config = {{"raw.lxc", "lxc.a = 1"}}});
  EXPECT_THAT(new_profile.error().message, HasSubstr("low-level"));
  auto copy = request("c2");
  copy.project = kWebProject;
  copy.config = {{"security.nesting", "true"}};
  copy.source = {.type = "copy", .instance = instance_name("c1")};
  EXPECT_THAT(outcome(create_.create(kRoot, copy)).message, HasSubstr("Container nesting is forbidden"));

  EXPECT_EQ(change_project({{"restricted.containers.nesting", "allow"}}).message, "");
  EXPECT_EQ(change("c1", {{"security.nesting", "true"}}).message, "");
  expect_success(snapshots_.create(kRoot, {kWebProject, instance_name("c1")}, {.name = *SnapshotName::parse("s")}));
  EXPECT_THAT(change_project({{"restricted.containers.nesting", "block"}}).message, HasSubstr("Container nesting is forbidden"));
  EXPECT_EQ(change("c1", {{"security.nesting", ""}}).message, "");
  EXPECT_EQ(change_project({{"restricted.containers.nesting", ""}}).message, "");
  EXPECT_THAT(outcome(snapshots_.restore(kRoot, {kWebProject, instance_name("c1")}, *SnapshotName::parse("s"))).message,
              HasSubstr("Container nesting is forbidden"));
  EXPECT_FALSE(store_.instance(kRoot, kWebProject, instance_name("c1"))->config.contains("security.nesting"));
}

TEST_F(ProjectUse, SnapshotsOfARestrictedOneNeedToBeAllowed) {
  make_usable({{"restricted", "true"}});
  EXPECT_EQ(add("c1").message, "");
  EXPECT_THAT(outcome(snapshots_.create(kRoot, {kWebProject, instance_name("c1")}, {})).message,
              HasSubstr("doesn't allow for snapshot creation"));
}

TEST_F(ProjectUse, BackupsOfARestrictedOneNeedToBeAllowed) {
  make_usable({{"restricted", "true"}});
  EXPECT_EQ(add("c1").message, "");
  InstanceBackups backups(context_);
  const InstanceRef c1{kWebProject, instance_name("c1")};
  EXPECT_THAT(outcome(backups.create(kRoot, c1, {})).message, HasSubstr("doesn't allow for backup creation"));
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd reading(ends[0]);
  EXPECT_THAT(outcome(backups.stream(kRoot, c1, {}, UniqueFd(ends[1]))).message, HasSubstr("doesn't allow for backup creation"));
  EXPECT_EQ(change_project({{"restricted.backups", "allow"}}).message, "");
  EXPECT_EQ(outcome(backups.create(kRoot, c1, {})).message, "");
}

TEST_F(ProjectUse, ABackupThatComesBackIsJudgedLikeAnyInstance) {
  make_usable({{"limits.instances", "1"}});
  EXPECT_EQ(add("c1").message, "");
  InstanceBackups backups(context_);
  EXPECT_EQ(outcome(backups.create(kRoot, {kWebProject, instance_name("c1")}, {})).message, "");
  auto index = nlohmann::json::parse(archives_.packed().back().files.front().text);
  const auto text = nlohmann::json{{"index", index}, {"config", index["config"]}}.dump();
  UniqueFd file(memfd_create("backup", MFD_CLOEXEC));
  ASSERT_EQ(write(file.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  lseek(file.get(), 0, SEEK_SET);
  BackupImport import(context_);
  const auto refused = outcome(
      import.import(kRoot, {.project = kWebProject, .backup = std::move(file), .name = instance_name("c2"), .pool = {}}));
  EXPECT_THAT(refused.message, HasSubstr("Reached maximum number of instances"));
  EXPECT_FALSE(store_.instance(kRoot, kWebProject, instance_name("c2")));
  EXPECT_EQ(driver_->roots()->size(), 1U);
}

// Rule 8 of the security rules: a project that is another user's looks like one that is not there.
TEST_F(ProjectUse, SecurityRule8MakesAUsersProjectAbsentForOthers) {
  const auto name = *ProjectName::parse("user-7");
  const Principal owner{PrincipalKind::Local, 7, 3, 1, ":1.3", {}};
  ASSERT_TRUE(projects_.create(owner, name, {{"features.images", "false"}}, ""));
  const auto same = [](const Error& hidden, const Error& absent) {
    EXPECT_EQ(hidden.code, Code::NotFound);
    auto text = absent.message;
    if (const auto at = text.find("nope"); at != std::string::npos) text.replace(at, 4, "user-7");
    EXPECT_EQ(hidden.message, text);
  };
  const auto nope = *ProjectName::parse("nope");
  same(projects_.describe(kAlice, std::vector{name}).error(), projects_.describe(kAlice, std::vector{nope}).error());
  same(projects_.update(kAlice, name, {}).error(), projects_.update(kAlice, nope, {}).error());
  same(projects_.remove(kAlice, name).error(), projects_.remove(kAlice, nope).error());
  const auto make_in = [&](const ProjectName& project) {
    auto wanted = request("c1");
    wanted.project = project;
    return outcome(create_.create(kAlice, wanted));
  };
  same(make_in(name), make_in(nope));
  const auto profile_in = [&](const ProjectName& project) {
    return profiles_.create(kAlice, Profile{.uuid = new_uuid(), .project = project, .name = profile_name("p")}).error();
  };
  same(profile_in(name), profile_in(nope));
  EXPECT_EQ(projects_.list(kAlice)->size(), 1U);
  EXPECT_EQ(projects_.list(owner)->size(), 2U);
}

TEST_F(ProjectUse, AProfileThatIsSharedIsJudgedByTheLimitsOfWhoSharesIt) {
  make({{"features.images", "false"}, {"features.profiles", "false"}});
  EXPECT_EQ(add("c1", {}).message, "");
  const auto set = [&](const std::string& memory) {
    return profiles_.update(kRoot, default_project(), profile_name("default"), {.config = ConfigMap{{"limits.memory", memory}}});
  };
  ASSERT_TRUE(set("512MiB"));
  EXPECT_EQ(change_project({{"limits.memory", "1GiB"}}).message, "");
  EXPECT_THAT(set("2GiB").error().message, HasSubstr("Reached maximum aggregate value"));
  EXPECT_TRUE(set("1GiB"));
  // By whatever name it is called, it is one profile: of the project that owns it.
  forget_events();
  ASSERT_TRUE(profiles_.update(kRoot, kWebProject, profile_name("default"), {.description = "shared"}));
  EXPECT_EQ(events().back().project, default_project());
  const auto held = locks_.lock(profile_entity(default_project(), profile_name("default")), "x", "hold", EntityLocks::Purpose::User);
  EXPECT_EQ(profiles_.update(kRoot, kWebProject, profile_name("default"), {.description = "busy"}).error().code, Code::Busy);
}

TEST_F(ProjectUse, AnInstanceMovesInWithAllItHas) {
  make_usable({});
  const auto before = make_running("c1");
  expect_success(lifecycle_.stop(kRoot, default_project(), instance_name("c1"), {.force = true}));
  expect_success(snapshots_.create(kRoot, {default_project(), instance_name("c1")}, {.name = *SnapshotName::parse("first")}));
  forget_events();
  expect_success(move_.move(kAlice, default_project(), instance_name("c1"), {.project = kWebProject, .name = instance_name("c2")}));
  EXPECT_THAT(access_asked_, IsEmpty()) << "what it is allowed to it may keep";
  EXPECT_FALSE(exists("c1"));
  const auto moved = store_.instance(kRoot, kWebProject, instance_name("c2"));
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->uuid, before.uuid);
  EXPECT_EQ(moved->config.at("volatile.apply_template"), "rename");
  EXPECT_EQ(store_.snapshots(moved->uuid)->size(), 1U);
  EXPECT_EQ(manifests_.read(moved->uuid)->project, kWebProject);
  EXPECT_THAT(actions(), ElementsAre("instance-deleted", "instance-created"));
  expect_success(lifecycle_.start(kRoot, kWebProject, instance_name("c2")));
  EXPECT_EQ(runtime_.status(before.uuid), InstanceStatus::Running);
}

TEST_F(ProjectUse, AnInstanceThatMayNotMoveInStaysWhereItIs) {
  make_usable({{"restricted", "true"}, {"limits.containers", "1"}});
  (void)make_instance("c1");
  const auto move = [&](const std::string& name, const ProjectName& to, const std::string& as) {
    return outcome(move_.move(kRoot, default_project(), instance_name(name), {.project = to, .name = instance_name(as)}));
  };
  EXPECT_EQ(move("c1", default_project(), "c2").code, Code::InvalidArgument);
  EXPECT_EQ(move("c1", *ProjectName::parse("nowhere"), "c1").code, Code::NotFound);
  EXPECT_EQ(move("none", kWebProject, "c1").code, Code::NotFound);
  expect_success(lifecycle_.start(kRoot, default_project(), instance_name("c1")));
  EXPECT_EQ(move("c1", kWebProject, "c1").code, Code::FailedPrecondition);
  expect_success(lifecycle_.stop(kRoot, default_project(), instance_name("c1"), {.force = true}));
  ASSERT_EQ(change_config("c1", {{"security.nesting", "true"}}).message, "");
  EXPECT_NE(move("c1", kWebProject, "c1").message, "") << "the project is restricted";
  ASSERT_EQ(change_config("c1", {{"security.nesting", ""}}).message, "");
  ASSERT_EQ(add("c3").message, "");
  EXPECT_EQ(move("c1", kWebProject, "c3").code, Code::AlreadyExists);
  EXPECT_THAT(move("c1", kWebProject, "c1").message, HasSubstr("maximum number of instances"));
  EXPECT_TRUE(exists("c1"));
  EXPECT_EQ(query_.list(kRoot, kWebProject)->size(), 1U);
}

TEST_F(ProjectUse, AnInstanceThatMovesInIsCountedBesideItsNamesake) {
  make_usable({{"limits.instances", "1"}});
  (void)make_instance("c1");
  ASSERT_EQ(add("c1").message, "");
  EXPECT_THAT(outcome(move_.move(kRoot, default_project(), instance_name("c1"), {.project = kWebProject, .name = instance_name("c2")})).message,
              HasSubstr("maximum number of instances"));
}

}  // namespace
}  // namespace berth::services
