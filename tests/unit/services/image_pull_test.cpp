#include "daemon/services/image_pull.hpp"

#include "daemon/domain/server_keys.hpp"
#include "tests/unit/services/services_fixture.hpp"

namespace berth::services {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kServer = "https://images.example:8443";

class ImagesOfOtherServers : public ServicesTest {
 protected:
  static ports::ServerImageQuery query(const std::string& alias) {
    return {.at = {.server = kServer, .protocol = "lxd", .certificate = {}, .alias = alias}, .secret = {}, .project = {}};
  }
  static PullImageRequest pull_of(const std::string& alias) { return {.project = default_project(), .from = query(alias)}; }
  CreateInstanceRequest instance_of(const std::string& name, const std::string& alias) {
    auto wanted = request(name);
    wanted.source = {.alias = alias, .server = query(alias)};
    return wanted;
  }
  Image only_image() {
    const auto images = store_.images(kRoot, default_project());
    EXPECT_TRUE(images);
    EXPECT_EQ(images->size(), 1U);
    return images->front();
  }
  std::size_t images() { return store_.images(kRoot, default_project())->size(); }

  ImagePull pull_{context_};
  ImageUpkeep upkeep_{context_};
};

TEST_F(ImagesOfOtherServers, AreFetchedAndRememberWhereTheyCameFrom) {
  servers_.publish("debian", "the bytes");
  auto wanted = pull_of("debian");
  wanted.auto_update = true;
  wanted.properties = {{"colour", "blue"}};
  wanted.aliases = {{alias_name("mine"), "my own"}};
  const auto id = pull_.pull(kAlice, wanted);
  expect_success(id);
  const auto image = only_image();
  EXPECT_EQ(image.fingerprint, fakes::FakeImageStore::fingerprint_of("the bytes"));
  EXPECT_EQ(image.properties, (ConfigMap{{"colour", "blue"}, {"os", "debian"}}));
  ASSERT_TRUE(image.origin);
  EXPECT_EQ(image.origin->server, kServer);
  EXPECT_EQ(image.origin->alias, "debian");
  EXPECT_TRUE(image.auto_update);
  EXPECT_FALSE(image.cached);
  EXPECT_EQ(store_.alias(default_project(), alias_name("mine"))->target, image.fingerprint);
  const auto told = end_of(*id).metadata;
  EXPECT_EQ(std::get<std::string>(told.at("fingerprint").value), image.fingerprint.str());
  EXPECT_THAT(std::get<std::string>(told.at("download_progress").value), HasSubstr("100% ("));
}

// Rule 16: what is stored is hashed while it is stored; what a server says of it proves nothing.
TEST_F(ImagesOfOtherServers, AreNotKeptWhenTheirHashIsNotWhatTheServerSaid) {
  servers_.publish("debian", "the bytes");
  servers_.swap_next("other bytes");
  EXPECT_EQ(outcome(pull_.pull(kAlice, pull_of("debian"))).code, Code::FailedPrecondition);
  EXPECT_EQ(images(), 0U);
  EXPECT_EQ(images_.staged(), 0U);
  EXPECT_THAT(images_.images(), IsEmpty());
}

TEST_F(ImagesOfOtherServers, AreNotKeptWhenTheTransferBreaksOff) {
  servers_.publish("debian", "the bytes");
  servers_.break_next();
  EXPECT_EQ(outcome(pull_.pull(kAlice, pull_of("debian"))).code, Code::Unavailable);
  EXPECT_EQ(images(), 0U);
  EXPECT_EQ(images_.staged(), 0U);
}

TEST_F(ImagesOfOtherServers, AreNotFetchedAgainWhenTheyAreHere) {
  servers_.publish("debian", "the bytes");
  expect_success(pull_.pull(kAlice, pull_of("debian")));
  auto again = pull_of(fakes::FakeImageStore::fingerprint_of("the bytes").str().substr(0, 12));
  again.is_public = true;
  again.aliases = {{alias_name("mine"), ""}};
  expect_success(pull_.pull(kAlice, again));
  EXPECT_EQ(servers_.sent(), 1);
  EXPECT_TRUE(only_image().is_public);
  EXPECT_TRUE(store_.alias(default_project(), alias_name("mine")));
}

TEST_F(ImagesOfOtherServers, AreKeptUpToDateWhenThatIsAskedForLater) {
  servers_.publish("debian", "the bytes");
  expect_success(pull_.pull(kAlice, pull_of(fakes::FakeImageStore::fingerprint_of("the bytes").str())));
  EXPECT_FALSE(only_image().origin);
  auto again = pull_of("debian");
  again.auto_update = true;
  expect_success(pull_.pull(kAlice, again));
  EXPECT_TRUE(only_image().auto_update);
  ASSERT_TRUE(only_image().origin);
  EXPECT_EQ(only_image().origin->alias, "debian");
}

// Rule 16, again: a server may call any image by the fingerprint of another.
TEST_F(ImagesOfOtherServers, AreNotTakenForTheOnesWhoseFingerprintWasAskedFor) {
  const auto wanted = fakes::FakeImageStore::fingerprint_of("the good bytes").str();
  servers_.publish(wanted, "the bad bytes");
  auto by_fingerprint = pull_of(wanted);
  by_fingerprint.from.by_fingerprint = true;
  EXPECT_THAT(outcome(pull_.pull(kAlice, by_fingerprint)).message, HasSubstr("fingerprint doesn't match"));
  auto instance = instance_of("web", wanted);
  instance.source.server->by_fingerprint = true;
  EXPECT_EQ(outcome(create_.create(kAlice, instance)).code, Code::FailedPrecondition);
  EXPECT_EQ(images(), 0U);
}

TEST_F(ImagesOfOtherServers, AreAskedForByHttpsAlone) {
  auto plain = pull_of("debian");
  plain.from.at.server = "http://images.example";
  EXPECT_EQ(outcome(pull_.pull(kAlice, plain)).code, Code::InvalidArgument);
  plain.from.at.server = "file:///etc/shadow";
  EXPECT_EQ(outcome(pull_.pull(kAlice, plain)).code, Code::InvalidArgument);
  auto unknown = pull_of("debian");
  unknown.from.at.protocol = "gopher";
  EXPECT_EQ(outcome(pull_.pull(kAlice, unknown)).code, Code::InvalidArgument);
  EXPECT_EQ(servers_.asked(), 0);
}

TEST_F(ImagesOfOtherServers, BecomeInstancesAndStayForTheNext) {
  servers_.publish("debian", "the bytes");
  expect_success(create_.create(kAlice, instance_of("web", "debian")));
  const auto image = only_image();
  EXPECT_TRUE(image.cached);
  EXPECT_TRUE(image.auto_update);
  EXPECT_EQ(stored("web").config.at("volatile.base_image"), image.fingerprint.str());
  expect_success(create_.create(kAlice, instance_of("web2", "debian")));
  EXPECT_EQ(servers_.asked(), 1);  // the cached one is used as it is
  EXPECT_EQ(images(), 1U);
}

TEST_F(ImagesOfOtherServers, MakeNoInstanceWhenTheyDoNotCome) {
  EXPECT_EQ(outcome(create_.create(kAlice, instance_of("web", "nothing"))).code, Code::NotFound);
  EXPECT_FALSE(exists("web"));
  servers_.publish("debian", "the bytes");
  servers_.swap_next("other bytes");
  EXPECT_EQ(outcome(create_.create(kAlice, instance_of("web", "debian"))).code, Code::FailedPrecondition);
  EXPECT_FALSE(exists("web"));
  expect_success(create_.create(kAlice, instance_of("web", "debian")));  // and the name is free
}

TEST_F(ImagesOfOtherServers, AreNotFetchedForAnInstanceThatIsRefused) {
  servers_.publish("debian", "the bytes");
  auto wanted = instance_of("web", "debian");
  wanted.config = {{"no.such.key", "1"}};
  EXPECT_EQ(create_.create(kAlice, wanted).error().code, Code::InvalidArgument);
  wanted.config = {{"security.privileged", "true"}};
  EXPECT_EQ(create_.create(kAlice, wanted).error().code, Code::AccessDenied);
  EXPECT_EQ(servers_.asked(), 0);
}

TEST_F(ImagesOfOtherServers, GiveWayToWhatTheirAliasNamesLater) {
  servers_.publish("debian", "the bytes");
  auto wanted = pull_of("debian");
  wanted.auto_update = true;
  wanted.aliases = {{alias_name("mine"), ""}};
  expect_success(pull_.pull(kAlice, wanted));
  const auto old = only_image();
  const auto same = pull_.refresh(kAlice, default_project(), old.fingerprint);
  expect_success(same);
  EXPECT_FALSE(std::get<bool>(end_of(*same).metadata.at("refreshed").value));
  servers_.publish("debian", "newer bytes");
  const auto newer = pull_.refresh(kAlice, default_project(), old.fingerprint);
  expect_success(newer);
  EXPECT_TRUE(std::get<bool>(end_of(*newer).metadata.at("refreshed").value));
  const auto by = only_image();
  EXPECT_EQ(by.fingerprint, fakes::FakeImageStore::fingerprint_of("newer bytes"));
  EXPECT_TRUE(by.auto_update);
  EXPECT_EQ(store_.alias(default_project(), alias_name("mine"))->target, by.fingerprint);
}

TEST_F(ImagesOfOtherServers, AreUpdatedAndExpireByThemselves) {
  servers_.publish("debian", "the bytes");
  expect_success(create_.create(kAlice, instance_of("web", "debian")));
  EXPECT_EQ(*upkeep_.update_all(), 1U);
  EXPECT_EQ(*upkeep_.update_all(), 0U);  // not before six hours are over
  EXPECT_EQ(*upkeep_.expire(), 0U);
  clock_.advance(std::chrono::hours(24) * 11);
  EXPECT_EQ(*upkeep_.expire(), 1U);
  EXPECT_TRUE(await_action("image-deleted"));
  EXPECT_EQ(images(), 0U);
}

}  // namespace
}  // namespace berth::services
