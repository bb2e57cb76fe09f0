#pragma once

#include "tests/unit/store/store_contract.hpp"

namespace berth::contract {

/// What every store promises of projects.
template <typename Maker>
class AStoreOfProjects : public AStore<Maker> {
 protected:
  static Project make(const std::string& name, const std::string& profiles = "true") {
    Project project{.uuid = new_uuid(), .name = project_name(name)};
    project.created_at = at(3);
    project.description = "project " + name;
    project.config = {{"features.images", "true"}, {"features.profiles", profiles}, {"features.storage.volumes", "true"}};
    return project;
  }
  static std::optional<Profile> its_profile(const std::string& project) {
    return make_profile("default", project_name(project));
  }
  void insert(const std::string& name) { ASSERT_TRUE(this->store().insert_project(make(name), its_profile(name))); }
  std::vector<std::string> names_for(const Principal& who) {
    std::vector<std::string> names;
    const auto rows = this->store().projects(who);
    if (!rows) return names;
    for (const auto& row : *rows) names.push_back(row.name.str());
    return names;
  }
  std::size_t profiles_of(const std::string& project) {
    return this->store().profiles(daemon_principal(), project_name(project))->size();
  }
};

TYPED_TEST_SUITE_P(AStoreOfProjects);

TYPED_TEST_P(AStoreOfProjects, GivesAProjectBackAsItWasPutInWithItsProfile) {
  const auto wanted = this->make("web");
  ASSERT_TRUE(this->store().insert_project(wanted, this->its_profile("web")));
  const auto stored = this->store().project(daemon_principal(), project_name("web"));
  ASSERT_TRUE(stored) << stored.error().message;
  EXPECT_EQ(stored->uuid, wanted.uuid);
  EXPECT_EQ(stored->description, wanted.description);
  EXPECT_EQ(stored->config, wanted.config);
  EXPECT_EQ(stored->created_at, wanted.created_at);
  EXPECT_EQ(this->profiles_of("web"), 1U);
  EXPECT_THAT(this->names_for(daemon_principal()), testing::ElementsAre("default", "web"));
  EXPECT_EQ(this->store().insert_project(this->make("web"), std::nullopt).error().code, Code::AlreadyExists);
  EXPECT_EQ(this->store().project(daemon_principal(), project_name("nope")).error().code, Code::NotFound);
}

TYPED_TEST_P(AStoreOfProjects, SaysOfTheDefaultProjectThatItHasEverythingOfItsOwn) {
  const auto project = this->store().project(daemon_principal(), default_project());
  ASSERT_TRUE(project);
  EXPECT_EQ(project->config, (ConfigMap{{"features.images", "true"},
                                        {"features.networks", "true"},
                                        {"features.profiles", "true"},
                                        {"features.storage.volumes", "true"}}));
}

TYPED_TEST_P(AStoreOfProjects, HidesAUsersProjectFromOthers) {
  auto project = this->make("user-7");
  project.owner_uid = 7;
  ASSERT_TRUE(this->store().insert_project(project, std::nullopt));
  EXPECT_TRUE(this->store().project(local_user(7), project.name));
  EXPECT_EQ(this->store().project(local_user(8), project.name).error().code, Code::NotFound);
  EXPECT_THAT(this->names_for(local_user(8)), testing::ElementsAre("default"));
}

TYPED_TEST_P(AStoreOfProjects, HidesAllButTheirProjectsFromRestrictedClientsAndWhatTheseShareNot) {
  this->insert("web");
  auto sharing = this->make("sharing", "false");
  sharing.config["features.images"] = "false";
  ASSERT_TRUE(this->store().insert_project(sharing, std::nullopt));
  this->insert("user-7");
  ASSERT_TRUE(this->store().insert_profile(make_profile("shared")));
  for (const auto* name : {"web", "sharing", "default", "user-7"})
    ASSERT_TRUE(this->store().insert_instance(make_instance("c1", project_name(name))));
  const auto print = fingerprint('a');
  ASSERT_TRUE(this->store().insert_image(make_image(print), {}));
  Principal who;
  who.kind = PrincipalKind::Restricted;
  who.uid = 0;
  who.projects = {project_name("sharing"), project_name("user-7")};
  EXPECT_THAT(this->names_for(who), testing::ElementsAre("sharing", "user-7"));
  std::vector<std::string> seen;
  const auto instances = this->store().instances(who, std::nullopt);
  ASSERT_TRUE(instances);
  for (const auto& row : *instances) seen.push_back(row.project.str());
  EXPECT_THAT(seen, testing::ElementsAre("sharing", "user-7"));
  EXPECT_EQ(this->store().instance(who, project_name("web"), instance_name("c1")).error().code, Code::NotFound);
  EXPECT_EQ(this->store().profile(who, default_project(), profile_name("shared")).error().code, Code::NotFound);
  EXPECT_EQ(this->store().profile(who, project_name("web"), profile_name("default")).error().code, Code::NotFound);
  EXPECT_TRUE(this->store().profile(who, project_name("sharing"), profile_name("shared")));
  EXPECT_EQ(this->store().image(who, default_project(), print).error().code, Code::NotFound);
  EXPECT_TRUE(this->store().images(who, default_project())->empty());
  EXPECT_EQ(this->store().images(who, project_name("sharing"))->size(), 1U);

  Principal equal;
  equal.kind = PrincipalKind::Certificate;
  EXPECT_TRUE(this->store().instance(equal, project_name("user-7"), instance_name("c1")));
}

TYPED_TEST_P(AStoreOfProjects, CountsRevisionsAndRefusesAStaleOne) {
  this->insert("web");
  auto project = *this->store().project(daemon_principal(), project_name("web"));
  project.description = "changed";
  EXPECT_EQ(*this->store().update_project(project, 1, std::nullopt), 2U);
  EXPECT_EQ(this->store().update_project(project, 1, std::nullopt).error().code, Code::RevisionMismatch);
  EXPECT_EQ(this->store().project(daemon_principal(), project.name)->description, "changed");
}

TYPED_TEST_P(AStoreOfProjects, ProfilesComeAndGoWithTheirFeature) {
  this->insert("web");
  auto project = this->make("web", "false");
  ASSERT_TRUE(this->store().update_project(project, std::nullopt, std::nullopt));
  EXPECT_EQ(this->profiles_of("web"), this->profiles_of("default"));
  project = this->make("web");
  ASSERT_TRUE(this->store().update_project(project, std::nullopt, this->its_profile("web")));
  EXPECT_EQ(this->profiles_of("web"), 1U);
}

TYPED_TEST_P(AStoreOfProjects, MovesRemovesAndSharesOnlyWhatIsEmpty) {
  for (const auto* name : {"instances", "images", "profiles"}) this->insert(name);
  EXPECT_FALSE(*this->store().project_in_use(project_name("instances")));
  ASSERT_TRUE(this->store().insert_instance(make_instance("c1", project_name("instances"))));
  ASSERT_TRUE(this->store().insert_image(make_image(fingerprint('a'), project_name("images")), {}));
  ASSERT_TRUE(this->store().insert_profile(make_profile("own", project_name("profiles"))));
  for (const auto* name : {"instances", "images", "profiles"}) {
    SCOPED_TRACE(name);
    EXPECT_TRUE(*this->store().project_in_use(project_name(name)));
    EXPECT_EQ(this->store().delete_project(project_name(name)).error().message, "Only empty projects can be removed");
    EXPECT_EQ(this->store().rename_project(project_name(name), project_name("to")).error().message,
              "Only empty projects can be renamed");
    EXPECT_EQ(this->store().update_project(this->make(name, "false"), std::nullopt, std::nullopt).error().code,
              Code::FailedPrecondition);
    EXPECT_EQ(this->store().project(daemon_principal(), project_name(name))->config.at("features.profiles"), "true");
  }
}

TYPED_TEST_P(AStoreOfProjects, RenamesAndDeletesWithTheProfile) {
  this->insert("web");
  EXPECT_EQ(this->store().rename_project(project_name("web"), default_project()).error().code, Code::AlreadyExists);
  ASSERT_TRUE(this->store().rename_project(project_name("web"), project_name("site")));
  EXPECT_FALSE(*this->store().project_exists(project_name("web")));
  EXPECT_EQ(this->store().profile(daemon_principal(), project_name("site"), profile_name("default"))->project,
            project_name("site"));
  ASSERT_TRUE(this->store().delete_project(project_name("site")));
  EXPECT_EQ(this->store().delete_project(project_name("site")).error().code, Code::NotFound);
  EXPECT_EQ(this->profiles_of("site"), 0U);
}

TYPED_TEST_P(AStoreOfProjects, MovesInstancesFromOneToAnother) {
  this->insert("web");
  const auto project = project_name("web");
  Instance row = make_instance("c1");
  ASSERT_TRUE(this->store().insert_instance(row));
  const auto revision = this->store().instance_by_uuid(row.uuid)->revision;
  row.project = project;
  row.name = instance_name("c2");
  row.config["volatile.idmap.base"] = "5";
  row.profiles = {profile_name("nope")};
  EXPECT_EQ(this->store().move_instance(row).error().code, Code::NotFound);
  EXPECT_EQ(this->store().instance_by_uuid(row.uuid)->project, default_project()) << "all of it or nothing";
  row.profiles = {profile_name("default")};
  ASSERT_TRUE(this->store().move_instance(row));
  const auto moved = this->store().instance(daemon_principal(), project, instance_name("c2"));
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->uuid, row.uuid);
  EXPECT_EQ(moved->config, row.config);
  EXPECT_GT(moved->revision, revision);
  EXPECT_EQ(this->store().instances_with_profile(project, profile_name("default"))->size(), 1U);
  EXPECT_EQ(this->store().instance(daemon_principal(), default_project(), instance_name("c1")).error().code, Code::NotFound);
  auto other = make_instance("c2");
  ASSERT_TRUE(this->store().insert_instance(other));
  other.project = project;
  EXPECT_EQ(this->store().move_instance(other).error().code, Code::AlreadyExists);
  other.project = project_name("nowhere");
  EXPECT_EQ(this->store().move_instance(other).error().code, Code::NotFound);
  EXPECT_EQ(this->store().move_instance(make_instance("none")).error().code, Code::NotFound);
}

REGISTER_TYPED_TEST_SUITE_P(AStoreOfProjects, GivesAProjectBackAsItWasPutInWithItsProfile,
                            SaysOfTheDefaultProjectThatItHasEverythingOfItsOwn, HidesAUsersProjectFromOthers,
                            HidesAllButTheirProjectsFromRestrictedClientsAndWhatTheseShareNot,
                            CountsRevisionsAndRefusesAStaleOne, ProfilesComeAndGoWithTheirFeature,
                            MovesRemovesAndSharesOnlyWhatIsEmpty, RenamesAndDeletesWithTheProfile,
                            MovesInstancesFromOneToAnother);

}  // namespace berth::contract
