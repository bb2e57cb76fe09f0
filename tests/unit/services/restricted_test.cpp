// What clients that are restricted to projects may change where projects share what they have. Security rule 8.
#include <fcntl.h>

#include "daemon/services/image_pull.hpp"
#include "daemon/services/images.hpp"
#include "daemon/services/profiles.hpp"
#include "daemon/services/projects.hpp"
#include "tests/unit/services/services_fixture.hpp"

namespace berth::services {
namespace {

class SharedObjects : public ServicesTest {
 protected:
  void SetUp() override {
    image_.emplace(add_image());
    ASSERT_TRUE(projects_.create(kRoot, kWebProject, {{"features.images", "false"}, {"features.profiles", "false"}}, ""));
  }
  static Principal restricted_to(std::vector<ProjectName> projects) {
    Principal who;
    who.kind = PrincipalKind::Restricted;
    who.uid = 0;
    who.fingerprint = std::string(64, 'a');
    who.projects = std::move(projects);
    return who;
  }
  const Fingerprint& print() const { return image_->fingerprint; }

  std::optional<Image> image_;
  Images image_service_{context_};
  ImageImport import_{context_};
  Profiles profiles_{context_};
  Projects projects_{context_};
  const Principal who_ = restricted_to({kWebProject});
};

TEST_F(SharedObjects, AreUsedByARestrictedClientForItsInstances) {
  auto wanted = request("c1");
  wanted.project = kWebProject;
  expect_success(create_.create(who_, wanted));
  EXPECT_TRUE(store_.instance(who_, kWebProject, instance_name("c1")));
  EXPECT_EQ(image_service_.list(who_, kWebProject)->size(), 1U);
  EXPECT_EQ(profiles_.list(who_, kWebProject)->size(), 1U);
  wanted.project = default_project();
  EXPECT_EQ(outcome(create_.create(who_, wanted)).code, Code::NotFound);
}

TEST_F(SharedObjects, AreNotChangedByARestrictedClientWhoseOwnTheyAreNot) {
  const auto alias = alias_name("busybox");
  EXPECT_EQ(image_service_.update(who_, kWebProject, print(), {.is_public = true}).error().code, Code::AccessDenied);
  EXPECT_EQ(image_service_.create_alias(who_, kWebProject, alias_name("trap"), print().str(), "").error().code, Code::AccessDenied);
  EXPECT_EQ(image_service_.update_alias(who_, kWebProject, alias, {}, "x").error().code, Code::AccessDenied);
  EXPECT_EQ(image_service_.rename_alias(who_, kWebProject, alias, alias_name("y")).error().code, Code::AccessDenied);
  EXPECT_EQ(image_service_.delete_alias(who_, kWebProject, alias).error().code, Code::AccessDenied);
  EXPECT_EQ(outcome(import_.remove(who_, kWebProject, print())).code, Code::AccessDenied);
  ImagePull pull(context_);
  EXPECT_EQ(outcome(pull.refresh(who_, kWebProject, print())).code, Code::AccessDenied);
  servers_.publish("debian", "the bytes");
  const PullImageRequest wanted{.project = kWebProject, .from = {.at = {.server = "https://images.example:8443", .protocol = "lxd", .certificate = {}, .alias = "debian"}, .secret = {}, .project = {}}};
  EXPECT_EQ(outcome(pull.pull(who_, wanted)).code, Code::AccessDenied);
  auto launched = request("c1");
  launched.project = kWebProject;
  launched.source = {.alias = "debian", .server = wanted.from};
  EXPECT_EQ(outcome(create_.create(who_, launched)).code, Code::AccessDenied);
  EXPECT_EQ(servers_.sent(), 0);
  EXPECT_EQ(outcome(import_.import(who_, {.project = kWebProject, .file = UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC))})).code,
            Code::AccessDenied);
  EXPECT_EQ(profiles_.create(who_, {.uuid = new_uuid(), .project = kWebProject, .name = profile_name("trap")}).error().code,
            Code::AccessDenied);
  EXPECT_EQ(profiles_.update(who_, kWebProject, profile_name("default"), {.description = "x"}).error().code, Code::AccessDenied);
  ASSERT_TRUE(profiles_.create(kRoot, {.uuid = new_uuid(), .project = kWebProject, .name = profile_name("other")}));
  EXPECT_EQ(profiles_.rename(who_, kWebProject, profile_name("other"), profile_name("z")).error().code, Code::AccessDenied);
  EXPECT_EQ(profiles_.remove(who_, kWebProject, profile_name("other")).error().code, Code::AccessDenied);
}

TEST_F(SharedObjects, AreNotChangedByTheirOwnProjectsClientWhereThatChangesInstancesOfOthers) {
  const auto owner = restricted_to({default_project()});
  EXPECT_TRUE(profiles_.update(owner, default_project(), profile_name("default"), {.description = "x"}));
  auto wanted = request("c1");
  wanted.project = kWebProject;
  expect_success(create_.create(kRoot, wanted));
  EXPECT_EQ(profiles_.update(owner, default_project(), profile_name("default"), {.description = "y"}).error().code,
            Code::AccessDenied);
  EXPECT_TRUE(profiles_.update(restricted_to({default_project(), kWebProject}), default_project(), profile_name("default"), {.description = "y"}));
}

// `berth copy` sends the idmap of the original's last start, which is never taken.
TEST_F(SharedObjects, AreCopiedWithoutARightToWhatTheServerItselfWrites) {
  auto wanted = request("c1");
  wanted.project = kWebProject;
  expect_success(create_.create(who_, wanted));
  wanted = request("c2");
  wanted.project = kWebProject;
  wanted.source = {.type = "copy", .instance = instance_name("c1")};
  wanted.config = {{"volatile.last_state.idmap", R"([{"Isuid":true,"Isgid":true,"Hostid":1000000,"Nsid":0,"Maprange":65536}])"}};
  access_allowed_ = false;
  expect_success(create_.create(who_, wanted));
  const auto copied = store_.instance(kRoot, kWebProject, instance_name("c2"));
  ASSERT_TRUE(copied);
  EXPECT_EQ(copied->config.at("volatile.last_state.idmap"), "[]");
}

TEST_F(SharedObjects, OfAnotherProjectAreNoSourceOfACopyAndNoTargetOfOne) {
  (void)make_instance("secret");
  auto wanted = request("c1");
  wanted.project = kWebProject;
  wanted.source = {.type = "copy", .instance = instance_name("secret"), .project = default_project()};
  EXPECT_EQ(outcome(create_.create(who_, wanted)).code, Code::NotFound);
}

}  // namespace
}  // namespace berth::services
