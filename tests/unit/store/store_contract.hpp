#pragma once

#include "tests/unit/store/store_fixtures.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace berth::contract {

/// What a factory of the suite has to give: a fresh, empty store and whatever keeps it alive.
class StoreMaker {
 public:
  virtual ~StoreMaker() = default;
  virtual ports::Store& store() = 0;
};

/// The suite every store passes. `Maker` is a StoreMaker that can be made without arguments.
template <typename Maker>
class AStore : public testing::Test {
 protected:
  ports::Store& store() { return maker_.store(); }
  void SetUp() override {
    ASSERT_TRUE(store().insert_pool(make_pool()));
    ASSERT_TRUE(store().insert_profile(make_profile("default")));
  }
  void add_user_project() {
    Project project{.uuid = new_uuid(), .name = project_name("user-1000"), .owner_uid = 1000};
    project.config = {{"features.images", "false"}, {"features.profiles", "false"}};
    ASSERT_TRUE(store().insert_project(project, std::nullopt));
  }
  std::vector<std::string> names(const Principal& who, const std::optional<ProjectName>& project = std::nullopt) {
    std::vector<std::string> out;
    const auto rows = store().instances(who, project);
    const auto summaries = store().instance_summaries(who, project);
    EXPECT_TRUE(rows && summaries);
    if (!rows || !summaries) return out;
    EXPECT_EQ(rows->size(), summaries->size());
    for (std::size_t i = 0; i < std::min(rows->size(), summaries->size()); ++i) {
      expect_summary(summaries->at(i), rows->at(i));
      out.push_back(rows->at(i).name.str());
    }
    return out;
  }

  Maker maker_;
};

TYPED_TEST_SUITE_P(AStore);

TYPED_TEST_P(AStore, GivesBackAnInstanceAsItWasPutIn) {
  ASSERT_TRUE(this->store().insert_profile(make_profile("web")));
  Instance given = make_instance("c1");
  given.owner_uid = 4294967294U;
  given.ephemeral = true;
  given.profiles = {profile_name("web"), profile_name("default")};
  ASSERT_TRUE(this->store().insert_instance(given));
  const auto by_name = this->store().instance(daemon_principal(), given.project, given.name);
  ASSERT_TRUE(by_name);
  expect_same(*by_name, given);
  const auto by_uuid = this->store().instance_by_uuid(given.uuid);
  ASSERT_TRUE(by_uuid);
  expect_same(*by_uuid, given);
}

TYPED_TEST_P(AStore, RefusesASecondInstanceOfTheSameName) {
  ASSERT_TRUE(this->store().insert_instance(make_instance("c1")));
  const auto second = this->store().insert_instance(make_instance("c1"));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::AlreadyExists);
  EXPECT_EQ(second.error().message, "Instance \"c1\" already exists");
}

TYPED_TEST_P(AStore, RefusesAnInstanceThatRefersToNothing) {
  Instance lost = make_instance("c1");
  lost.profiles = {profile_name("nope")};
  auto refused = this->store().insert_instance(lost);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::NotFound);
  EXPECT_EQ(refused.error().message, "Profile \"nope\" not found");
  lost = make_instance("c1");
  lost.pool = pool_name("nope");
  refused = this->store().insert_instance(lost);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "Storage pool \"nope\" not found");
  lost = make_instance("c1", project_name("nope"));
  refused = this->store().insert_instance(lost);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "Project \"nope\" not found");
  EXPECT_THAT(this->names(daemon_principal()), testing::IsEmpty());
}

TYPED_TEST_P(AStore, CountsRevisionsAndRefusesAStaleOne) {
  Instance row = make_instance("c1");
  ASSERT_TRUE(this->store().insert_instance(row));
  row.config["user.a"] = "changed";
  row.profiles = {profile_name("default")};
  const auto second = this->store().update_instance(row, 1);
  ASSERT_TRUE(second);
  EXPECT_EQ(*second, 2U);
  row.config["user.a"] = "again";
  const auto stale = this->store().update_instance(row, 1);
  ASSERT_FALSE(stale);
  EXPECT_EQ(stale.error().code, Code::RevisionMismatch);
  const auto stored = this->store().instance_by_uuid(row.uuid);
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->config.at("user.a"), "changed");
  EXPECT_EQ(stored->revision, 2U);
  EXPECT_EQ(stored->profiles, row.profiles);
  const auto forced = this->store().update_instance(row, std::nullopt);
  ASSERT_TRUE(forced);
  EXPECT_EQ(*forced, 3U);
}

TYPED_TEST_P(AStore, LeavesAnInstanceAloneWhenAnUpdateNamesAMissingProfile) {
  Instance row = make_instance("c1");
  row.profiles = {profile_name("default")};
  ASSERT_TRUE(this->store().insert_instance(row));
  Instance wrong = row;
  wrong.config.clear();
  wrong.profiles = {profile_name("nope")};
  EXPECT_FALSE(this->store().update_instance(wrong, std::nullopt));
  const auto stored = this->store().instance_by_uuid(row.uuid);
  ASSERT_TRUE(stored);
  expect_same(*stored, row);
}

TYPED_TEST_P(AStore, RenamesAndDeletesInstances) {
  const Instance row = make_instance("c1");
  ASSERT_TRUE(this->store().insert_instance(row));
  ASSERT_TRUE(this->store().insert_instance(make_instance("c2")));
  const auto taken = this->store().rename_instance(row.uuid, instance_name("c2"));
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Code::AlreadyExists);
  ASSERT_TRUE(this->store().rename_instance(row.uuid, instance_name("c3")));
  EXPECT_THAT(this->names(daemon_principal()), testing::ElementsAre("c2", "c3"));
  ASSERT_TRUE(this->store().delete_instance(row.uuid));
  const auto again = this->store().delete_instance(row.uuid);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::NotFound);
  EXPECT_EQ(this->store().instance_by_uuid(row.uuid).error().code, Code::NotFound);
  EXPECT_EQ(this->store().update_instance(row, std::nullopt).error().code, Code::NotFound);
  EXPECT_EQ(this->store().rename_instance(row.uuid, instance_name("c9")).error().code, Code::NotFound);
}

TYPED_TEST_P(AStore, MergesVolatileKeysAndDropsEmptyOnes) {
  Instance row = make_instance("c1");
  row.config["volatile.last_state.power"] = "STOPPED";
  ASSERT_TRUE(this->store().insert_instance(row));
  ASSERT_TRUE(this->store().set_instance_volatile(
      row.uuid, {{"volatile.uuid", ""}, {"volatile.last_state.power", "RUNNING"}, {"volatile.idmap.base", "0"}}));
  ASSERT_TRUE(this->store().touch_instance(row.uuid, at(99)));
  const auto stored = this->store().instance_by_uuid(row.uuid);
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->config, (ConfigMap{{"user.a", "line one\nline two"},
                                       {"volatile.last_state.power", "RUNNING"},
                                       {"volatile.idmap.base", "0"}}));
  EXPECT_EQ(stored->revision, 2U);
  EXPECT_EQ(stored->last_used_at, at(99));
  EXPECT_EQ(this->store().set_instance_volatile(new_uuid(), {}).error().code, Code::NotFound);
  EXPECT_EQ(this->store().touch_instance(new_uuid(), at(1)).error().code, Code::NotFound);
}

TYPED_TEST_P(AStore, HidesAUsersProjectFromOtherUsers) {
  this->add_user_project();
  Instance theirs = make_instance("theirs", project_name("user-1000"));
  theirs.owner_uid = 1000;
  Instance made_by_root = make_instance("byroot", project_name("user-1000"));
  ASSERT_TRUE(this->store().insert_instance(theirs));
  ASSERT_TRUE(this->store().insert_instance(made_by_root));
  ASSERT_TRUE(this->store().insert_instance(make_instance("shared")));
  using testing::ElementsAre;
  EXPECT_THAT(this->names(daemon_principal()), ElementsAre("shared", "byroot", "theirs"));
  EXPECT_THAT(this->names(local_user(1000)), ElementsAre("shared", "byroot", "theirs"));
  EXPECT_THAT(this->names(local_user(1001)), ElementsAre("shared"));
  EXPECT_THAT(this->names(local_user(1001), project_name("user-1000")), ElementsAre());
  Principal certificate;
  certificate.kind = PrincipalKind::Certificate;
  certificate.uid = 0;
  EXPECT_THAT(this->names(certificate), ElementsAre("shared", "byroot", "theirs")) << "it is root's equal";
  const auto hidden = this->store().instance(local_user(1001), theirs.project, theirs.name);
  const auto absent = this->store().instance(local_user(1001), theirs.project, instance_name("absent"));
  ASSERT_FALSE(hidden);
  ASSERT_FALSE(absent);
  EXPECT_EQ(hidden.error().code, absent.error().code);
  EXPECT_EQ(hidden.error().message, "Instance \"theirs\" not found");
}

TYPED_TEST_P(AStore, FindsImagesAndProfilesOfASharingProjectInTheDefaultOne) {
  this->add_user_project();
  const auto project = project_name("user-1000");
  ASSERT_TRUE(this->store().insert_image(make_image(fingerprint('a'), project), {}));
  ASSERT_TRUE(this->store().insert_alias({project, alias_name("deb"), fingerprint('a'), ""}));
  ASSERT_TRUE(this->store().insert_profile(make_profile("web", project)));
  const auto image = this->store().image(local_user(1001), default_project(), fingerprint('a'));
  ASSERT_TRUE(image);
  EXPECT_EQ(image->project, default_project());
  EXPECT_TRUE(this->store().alias(default_project(), alias_name("deb")));
  EXPECT_TRUE(this->store().profile(local_user(1001), default_project(), profile_name("web")));
  Instance user = make_instance("c1", project);
  user.profiles = {profile_name("web")};
  ASSERT_TRUE(this->store().insert_instance(user));
  const auto users = this->store().instances_with_profile(default_project(), profile_name("web"));
  ASSERT_TRUE(users);
  ASSERT_EQ(users->size(), 1U);
  EXPECT_EQ(users->front().uuid, user.uuid);
}

TYPED_TEST_P(AStore, KeepsImagesAndProfilesOfAProjectThatHasItsOwnApart) {
  Project own{.uuid = new_uuid(), .name = project_name("user-7"), .owner_uid = 7};
  own.config = {{"features.images", "true"}, {"features.profiles", "true"}};
  ASSERT_TRUE(this->store().insert_project(own, std::nullopt));
  const auto project = project_name("user-7");
  ASSERT_TRUE(this->store().insert_image(make_image(fingerprint('b'), project), {}));
  ASSERT_TRUE(this->store().insert_profile(make_profile("default", project)));
  EXPECT_FALSE(this->store().image(daemon_principal(), default_project(), fingerprint('b')));
  EXPECT_TRUE(this->store().image(local_user(7), project, fingerprint('b')));
  EXPECT_EQ(this->store().image(local_user(8), project, fingerprint('b')).error().code, Code::NotFound);
  EXPECT_EQ(this->store().profile(local_user(8), project, profile_name("default")).error().code, Code::NotFound);
  EXPECT_EQ(this->store().profiles(local_user(8), project)->size(), 0U);
  EXPECT_EQ(this->store().images(local_user(8), project)->size(), 0U);
  EXPECT_EQ(this->store().images_by_prefix(local_user(8), project, "bb")->size(), 0U);
  EXPECT_EQ(this->store().images_by_prefix(local_user(7), project, "bb")->size(), 1U);
}

TYPED_TEST_P(AStore, ChangesRenamesAndProtectsProfiles) {
  Profile profile = make_profile("web");
  ASSERT_TRUE(this->store().insert_profile(profile));
  EXPECT_EQ(this->store().insert_profile(make_profile("web")).error().code, Code::AlreadyExists);
  profile.config = {{"limits.memory", "1GiB"}};
  EXPECT_EQ(*this->store().update_profile(profile, 1), 2U);
  EXPECT_EQ(this->store().update_profile(profile, 1).error().code, Code::RevisionMismatch);
  Instance user = make_instance("c1");
  user.profiles = {profile_name("default"), profile_name("web")};
  ASSERT_TRUE(this->store().insert_instance(user));
  ASSERT_TRUE(this->store().rename_profile(default_project(), profile_name("web"), profile_name("www")));
  EXPECT_EQ(this->store().rename_profile(default_project(), profile_name("www"), profile_name("default")).error().code,
            Code::AlreadyExists);
  EXPECT_EQ(this->store().instance_by_uuid(user.uuid)->profiles,
            (std::vector{profile_name("default"), profile_name("www")}));
  const auto used = this->store().delete_profile(default_project(), profile_name("www"));
  ASSERT_FALSE(used);
  EXPECT_EQ(used.error().code, Code::FailedPrecondition);
  EXPECT_EQ(used.error().message, "Profile is currently in use");
  ASSERT_TRUE(this->store().delete_instance(user.uuid));
  ASSERT_TRUE(this->store().delete_profile(default_project(), profile_name("www")));
  const auto rows = this->store().profiles(daemon_principal(), default_project());
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 1U);
  EXPECT_EQ(rows->front().config, (ConfigMap{{"limits.cpu", "2"}}));
  EXPECT_EQ(rows->front().devices.at("root").at("pool"), "default");
  EXPECT_EQ(this->store().profile(daemon_principal(), default_project(), profile_name("www")).error().code,
            Code::NotFound);
}

TYPED_TEST_P(AStore, GivesBackAnImageAsItWasPutInAndUpdatesIt) {
  Image image = make_image(fingerprint('c'));
  image.origin = ImageOrigin{"https://images.example", "lxd", "a certificate", "debian/12"};
  image.profiles = {profile_name("default")};
  image.expires_at = at(77);
  ASSERT_TRUE(this->store().insert_image(image, {{default_project(), alias_name("deb/12"), image.fingerprint, "d"}}));
  auto stored = this->store().image(daemon_principal(), default_project(), image.fingerprint);
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->uuid, image.uuid);
  EXPECT_EQ(stored->architecture, "x86_64");
  EXPECT_EQ(stored->created_at, at(11));
  EXPECT_EQ(stored->expires_at, at(77));
  EXPECT_EQ(stored->uploaded_at, at(12));
  EXPECT_EQ(stored->filename, "image.tar.gz");
  EXPECT_EQ(stored->size, 4'000'000'000U);
  EXPECT_TRUE(stored->split && stored->is_public && !stored->cached && !stored->auto_update);
  EXPECT_EQ(stored->properties, image.properties);
  EXPECT_EQ(stored->profiles, image.profiles);
  image.is_public = false;
  image.properties["os"] = "other";
  EXPECT_EQ(*this->store().update_image(image, 1), 2U);
  EXPECT_EQ(this->store().update_image(image, 1).error().code, Code::RevisionMismatch);
  EXPECT_TRUE(*this->store().image_known(image.fingerprint));
  EXPECT_FALSE(*this->store().image_known(fingerprint('d')));
  ASSERT_TRUE(this->store().touch_image(image.fingerprint, at(500)));
  stored = this->store().image(daemon_principal(), default_project(), image.fingerprint);
  ASSERT_TRUE(stored);
  EXPECT_FALSE(stored->is_public);
  EXPECT_EQ(stored->properties.at("os"), "other");
  EXPECT_EQ(stored->last_used_at, at(500));
  ASSERT_TRUE(stored->origin);
  EXPECT_EQ(stored->origin->server, "https://images.example");
  EXPECT_EQ(stored->origin->certificate, "a certificate");
  EXPECT_EQ(stored->origin->alias, "debian/12");
  const auto again = this->store().insert_image(make_image(fingerprint('c')), {});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().message, "Image with same fingerprint already exists");
  EXPECT_EQ(this->store().touch_image(fingerprint('d'), at(1)).error().code, Code::NotFound);
}

TYPED_TEST_P(AStore, InsertsNoImageWhenAnAliasOfItIsTaken) {
  const ImageAlias alias{default_project(), alias_name("deb"), fingerprint('a'), ""};
  ASSERT_TRUE(this->store().insert_image(make_image(fingerprint('a')), {alias}));
  const auto second = this->store().insert_image(make_image(fingerprint('b')),
                                                 {{default_project(), alias_name("deb"), fingerprint('b'), ""}});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::AlreadyExists);
  EXPECT_EQ(second.error().message, "Alias \"deb\" already exists");
  EXPECT_EQ(this->store().images(daemon_principal(), default_project())->size(), 1U);
}

TYPED_TEST_P(AStore, MatchesFingerprintPrefixesLiterally) {
  ASSERT_TRUE(this->store().insert_image(make_image(fingerprint('a', "12")), {}));
  ASSERT_TRUE(this->store().insert_image(make_image(fingerprint('f', "12")), {}));
  ASSERT_TRUE(this->store().insert_image(make_image(fingerprint('a', "13")), {}));
  const auto count = [this](const std::string& prefix) {
    return this->store().images_by_prefix(daemon_principal(), default_project(), prefix)->size();
  };
  EXPECT_EQ(count("12"), 2U);
  EXPECT_EQ(count("1"), 3U);
  EXPECT_EQ(count("12f"), 1U);
  EXPECT_EQ(count(fingerprint('f', "12").str()), 1U);
  for (const auto* odd : {"%", "_2", "12%", "1' OR '1'='1", "g", "12a~"}) EXPECT_EQ(count(odd), 0U) << odd;
}

TYPED_TEST_P(AStore, MovesRenamesAndDeletesAliases) {
  const auto project = default_project();
  ASSERT_TRUE(this->store().insert_image(make_image(fingerprint('a')), {}));
  ASSERT_TRUE(this->store().insert_image(make_image(fingerprint('b')), {}));
  ASSERT_TRUE(this->store().insert_alias({project, alias_name("one"), fingerprint('a'), "first"}));
  ASSERT_TRUE(this->store().insert_alias({project, alias_name("two"), fingerprint('a'), ""}));
  EXPECT_EQ(this->store().insert_alias({project, alias_name("one"), fingerprint('b'), ""}).error().code,
            Code::AlreadyExists);
  EXPECT_EQ(this->store().insert_alias({project, alias_name("x"), fingerprint('9'), ""}).error().code, Code::NotFound);
  ASSERT_TRUE(this->store().update_alias({project, alias_name("one"), fingerprint('b'), "moved"}));
  EXPECT_EQ(this->store().update_alias({project, alias_name("x"), fingerprint('b'), ""}).error().code, Code::NotFound);
  EXPECT_EQ(this->store().rename_alias(project, alias_name("one"), alias_name("two")).error().code,
            Code::AlreadyExists);
  ASSERT_TRUE(this->store().rename_alias(project, alias_name("one"), alias_name("three")));
  EXPECT_EQ(this->store().rename_alias(project, alias_name("one"), alias_name("y")).error().code, Code::NotFound);
  const auto moved = this->store().alias(project, alias_name("three"));
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->target, fingerprint('b'));
  EXPECT_EQ(moved->description, "moved");
  ASSERT_TRUE(this->store().delete_image(project, fingerprint('b')));
  EXPECT_EQ(this->store().alias(project, alias_name("three")).error().code, Code::NotFound);
  ASSERT_TRUE(this->store().delete_alias(project, alias_name("two")));
  EXPECT_EQ(this->store().delete_alias(project, alias_name("two")).error().code, Code::NotFound);
  EXPECT_EQ(this->store().aliases(project)->size(), 0U);
  EXPECT_EQ(this->store().delete_image(project, fingerprint('b')).error().code, Code::NotFound);
}

TYPED_TEST_P(AStore, KeepsPoolsProjectsAndServerConfiguration) {
  EXPECT_EQ(this->store().insert_pool(make_pool()).error().code, Code::AlreadyExists);
  EXPECT_EQ(this->store().pools()->size(), 1U);
  ASSERT_TRUE(this->store().insert_pool(make_pool("fast")));
  const auto pool = this->store().pool(pool_name("fast"));
  ASSERT_TRUE(pool);
  EXPECT_EQ(pool->driver, "dir");
  EXPECT_EQ(pool->config.at("source"), "/pools/fast");
  EXPECT_EQ(this->store().pool(pool_name("nope")).error().code, Code::NotFound);
  EXPECT_EQ(this->store().pools()->size(), 2U);
  EXPECT_TRUE(*this->store().project_exists(default_project()));
  EXPECT_FALSE(*this->store().project_exists(project_name("nope")));
  EXPECT_EQ(*this->store().server_config(), ConfigMap());
  ASSERT_TRUE(this->store().set_server_config({{"user.a", "1"}, {"user.b", "2"}}));
  EXPECT_EQ(this->store().server_config()->size(), 2U);
  ASSERT_TRUE(this->store().set_server_config({{"user.b", "3"}}));
  EXPECT_EQ(*this->store().server_config(), (ConfigMap{{"user.b", "3"}}));
}

TYPED_TEST_P(AStore, RemembersIntentsUntilTheyEnd) {
  const ports::Intent later{new_uuid(), "delete-instance", new_uuid().str(), "{}", at(2)};
  const ports::Intent first{new_uuid(), "create-instance", new_uuid().str(), R"({"pool":"default"})", at(1)};
  ASSERT_TRUE(this->store().begin_intent(later));
  ASSERT_TRUE(this->store().begin_intent(first));
  EXPECT_EQ(this->store().begin_intent(first).error().code, Code::AlreadyExists);
  auto rows = this->store().intents();
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 2U);
  EXPECT_EQ(rows->front().id, first.id);
  EXPECT_EQ(rows->front().verb, "create-instance");
  EXPECT_EQ(rows->front().object, first.object);
  EXPECT_EQ(rows->front().detail, first.detail);
  EXPECT_EQ(rows->front().created_at, at(1));
  ASSERT_TRUE(this->store().end_intent(first.id));
  ASSERT_TRUE(this->store().end_intent(first.id));
  EXPECT_EQ(this->store().intents()->size(), 1U);
}

TYPED_TEST_P(AStore, LosesNoChangeOfEightThreadsAtOnce) {
  constexpr int kThreads = 8;
  constexpr int kEach = 20;
  const Instance shared = make_instance("shared");
  ASSERT_TRUE(this->store().insert_instance(shared));
  std::vector<std::thread> threads;
  std::atomic<int> failures = 0;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([this, t, &failures, &shared] {
      for (int i = 0; i < kEach; ++i) {
        const auto name = "t" + std::to_string(t) + "-" + std::to_string(i);
        if (!this->store().insert_instance(make_instance(name))) ++failures;
        if (!this->store().set_instance_volatile(shared.uuid, {{"volatile." + name + ".name", "x"}})) ++failures;
        if (!this->store().instances(daemon_principal(), std::nullopt)) ++failures;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(this->names(daemon_principal()).size(), 1U + kThreads * kEach);
  const auto row = this->store().instance_by_uuid(shared.uuid);
  ASSERT_TRUE(row);
  EXPECT_EQ(row->revision, 1U + kThreads * kEach);
  EXPECT_EQ(row->config.size(), 2U + kThreads * kEach);
}

REGISTER_TYPED_TEST_SUITE_P(AStore, GivesBackAnInstanceAsItWasPutIn, RefusesASecondInstanceOfTheSameName,
                            RefusesAnInstanceThatRefersToNothing, CountsRevisionsAndRefusesAStaleOne,
                            LeavesAnInstanceAloneWhenAnUpdateNamesAMissingProfile, RenamesAndDeletesInstances,
                            MergesVolatileKeysAndDropsEmptyOnes, HidesAUsersProjectFromOtherUsers,
                            FindsImagesAndProfilesOfASharingProjectInTheDefaultOne,
                            KeepsImagesAndProfilesOfAProjectThatHasItsOwnApart, ChangesRenamesAndProtectsProfiles,
                            GivesBackAnImageAsItWasPutInAndUpdatesIt, InsertsNoImageWhenAnAliasOfItIsTaken,
                            MatchesFingerprintPrefixesLiterally, MovesRenamesAndDeletesAliases,
                            KeepsPoolsProjectsAndServerConfiguration, RemembersIntentsUntilTheyEnd,
                            LosesNoChangeOfEightThreadsAtOnce);

}  // namespace berth::contract
