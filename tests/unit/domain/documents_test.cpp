#include "base/architecture.hpp"
#include "daemon/domain/document_json.hpp"
#include "daemon/domain/image_document.hpp"
#include "daemon/domain/instance_document.hpp"
#include "daemon/domain/instance_manifest.hpp"
#include "daemon/domain/operation_document.hpp"
#include "daemon/domain/profile_document.hpp"
#include "daemon/domain/random_name.hpp"
#include "daemon/domain/storage_pool_document.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <set>

namespace berth {
namespace {

using nlohmann::json;

json as_json(const Document& document) { return json::parse(to_json(document)); }

Instance some_instance() {
  Instance instance{.uuid = new_uuid(),
                    .project = default_project(),
                    .name = *InstanceName::parse("c1"),
                    .pool = *PoolName::parse("default")};
  instance.owner_uid = 4294967295U;
  instance.architecture = "x86_64";
  instance.revision = 7;
  instance.created_at = Timestamp{std::chrono::microseconds{1'700'000'000'123'456}};
  instance.ephemeral = true;
  instance.description = "one";
  instance.profiles = {*ProfileName::parse("default"), *ProfileName::parse("web")};
  instance.config = {{"user.a", "line\nline"}, {"limits.cpu", "1"}};
  instance.devices = {{"root", {{"type", "disk"}, {"path", "/"}}}};
  return instance;
}

TEST(AnInstanceDocument, HasEveryFieldOfTheApi) {
  const auto instance = some_instance();
  const Expanded expanded{{{"limits.cpu", "1"}, {"limits.memory", "1GiB"}}, {}};
  auto row = instance_document(instance, expanded);
  row.merge(status_document(InstanceStatus::Running));
  const auto out = as_json(row);
  for (const auto* field : {"architecture", "config", "devices", "ephemeral", "profiles", "stateful", "description",
                            "created_at", "expanded_config", "expanded_devices", "name", "status", "status_code",
                            "last_used_at", "location", "type", "project"})
    EXPECT_TRUE(out.contains(field)) << field;
  EXPECT_EQ(out["status"], "Running");
  EXPECT_EQ(out["status_code"], 103);
  EXPECT_EQ(out["created_at"], 1'700'000'000'123'456);
  EXPECT_EQ(out["last_used_at"], 0);
  EXPECT_EQ(out["profiles"], (json{"default", "web"}));
  EXPECT_EQ(out["config"]["user.a"], "line\nline");
  EXPECT_EQ(out["expanded_config"]["limits.memory"], "1GiB");
  EXPECT_EQ(out["ephemeral"], true);
}

TEST(InstanceRows, TakeTwoLinesEach) {
  const auto none = InstanceRowsText().take();
  EXPECT_EQ(none, "[\n]");
  InstanceRowsText rows;
  rows.add(to_json_members({{"name", "a"}}), {{"status", "Stopped"}});
  rows.add(to_json_members({{"name", "b"}}), {{"status", "Running"}});
  const auto text = std::move(rows).take();
  EXPECT_EQ(text, "[\n{\"name\":\"a\"\n,\"status\":\"Stopped\"}\n,{\"name\":\"b\"\n,\"status\":\"Running\"}\n]");
  EXPECT_EQ(json::parse(text).size(), 2U);
}

TEST(AnImageDocument, ShowsItsOwnAliasesOnly) {
  Image image{
      .uuid = new_uuid(), .project = default_project(), .fingerprint = *Fingerprint::parse(std::string(64, 'a'))};
  image.size = 1036806;
  image.is_public = true;
  const auto other = *Fingerprint::parse(std::string(64, 'b'));
  const auto out = as_json(image_document(image, {{default_project(), *AliasName::parse("bb"), image.fingerprint, "d"},
                                                  {default_project(), *AliasName::parse("cc"), other, ""}}));
  for (const auto* field :
       {"auto_update", "properties", "public", "expires_at", "profiles", "aliases", "architecture", "cached",
        "filename", "fingerprint", "size", "type", "created_at", "last_used_at", "uploaded_at"})
    EXPECT_TRUE(out.contains(field)) << field;
  EXPECT_EQ(out["aliases"], json::parse(R"([{"name":"bb","description":"d"}])"));
  EXPECT_EQ(out["size"], 1036806);
  EXPECT_EQ(out["public"], true);
}

TEST(AProfileAndAPoolDocument, SayWhoUsesThem) {
  const Profile profile{.uuid = new_uuid(), .project = default_project(), .name = *ProfileName::parse("web")};
  const std::vector<Reference> users{{"instances", default_project(), "c1"}};
  const auto row = json::parse(R"([{"kind":"instances","project":"default","name":"c1"}])");
  EXPECT_EQ(as_json(profile_document(profile, users))["used_by"], row);
  const StoragePool pool{.uuid = new_uuid(), .name = *PoolName::parse("default"), .driver = "dir"};
  const auto out = as_json(storage_pool_document(pool, users));
  EXPECT_EQ(out["used_by"], row);
  EXPECT_EQ(out["driver"], "dir");
  EXPECT_EQ(out["status"], "Created");
}

TEST(AnOperationDocument, CarriesItsErrorAsTextAndAsName) {
  OperationView view{
      .id = new_uuid(), .kind = "task", .description = "Creating instance", .project = default_project()};
  view.status = OperationStatus::Failure;
  view.resources = {{"instances", {"c1"}}};
  view.metadata = {{"fingerprint", "abc"}};
  view.error = Error{Code::NotFound, "gone"};
  auto out = as_json(operation_document(view));
  EXPECT_EQ(out["status"], "Failure");
  EXPECT_EQ(out["status_code"], 400);
  EXPECT_EQ(out["resources"]["instances"], json{"c1"});
  EXPECT_EQ(out["metadata"]["fingerprint"], "abc");
  EXPECT_EQ(out["err"], "gone");
  EXPECT_EQ(out["error_code"], "org.berth.Berth1.Error.NotFound");
  view.error.reset();
  out = as_json(operation_document(view));
  EXPECT_EQ(out["err"], "");
  EXPECT_EQ(out["error_code"], "");
}

TEST(AManifest, GivesTheInstanceBack) {
  const auto given = some_instance();
  const auto back = manifest_from_json(manifest_to_json(given));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(manifest_to_json(*back), manifest_to_json(given));
  EXPECT_EQ(back->uuid, given.uuid);
  EXPECT_EQ(back->owner_uid, given.owner_uid);
  EXPECT_EQ(back->revision, 7U);
  EXPECT_EQ(back->created_at, given.created_at);
  EXPECT_EQ(back->profiles, given.profiles);
  EXPECT_EQ(back->config, given.config);
  EXPECT_EQ(back->devices, given.devices);
  EXPECT_EQ(back->pool, given.pool);
}

TEST(AManifest, IsRefusedWhenAnyFieldIsNotWhatItShouldBe) {
  const auto good = json::parse(manifest_to_json(some_instance()));
  for (const auto& [field, value] : good.items()) {
    for (const auto& wrong : {json(nullptr), json(json::array({1})), json("a\x1b[2J/"), json(-1.5)}) {
      auto bad = good;
      bad[field] = wrong;
      EXPECT_FALSE(manifest_from_json(bad.dump())) << field << " = " << wrong;
    }
    auto without = good;
    without.erase(field);
    EXPECT_FALSE(manifest_from_json(without.dump())) << "without " << field;
  }
  auto bad = good;
  bad["config"]["user.a"] = "\x1b[2J";
  EXPECT_FALSE(manifest_from_json(bad.dump()));
  bad = good;
  bad["config"]["a\nb"] = "x";
  EXPECT_FALSE(manifest_from_json(bad.dump()));
  bad = good;
  bad["owner_uid"] = 4294967296ULL;
  EXPECT_FALSE(manifest_from_json(bad.dump()));
  const auto whole = good.dump();
  for (std::size_t size = 0; size < whole.size(); size += 13)
    EXPECT_FALSE(manifest_from_json(whole.substr(0, size))) << size;
  EXPECT_FALSE(manifest_from_json(std::string(9U * 1024 * 1024, ' ') + whole));
  EXPECT_FALSE(manifest_from_json(std::string(100'000, '[')));
}

TEST(AnArchitecture, IsKnownByNameAndAlias) {
  EXPECT_EQ(find_architecture("amd64")->name, "x86_64");
  EXPECT_EQ(find_architecture("x86_64")->id, 2);
  EXPECT_EQ(find_architecture("armhf")->name, "armv7l");
  EXPECT_EQ(find_architecture("pdp11").error().message, "Architecture isn't supported: pdp11");
  EXPECT_FALSE(find_architecture(""));
  EXPECT_EQ(runnable_architectures(*find_architecture("arm64")), (std::vector<std::string>{"aarch64", "armv7l"}));
  EXPECT_TRUE(host_architecture());
}

TEST(ARandomName, IsAValidInstanceNameAndSeldomTheSame) {
  std::set<std::string> names;
  for (int i = 0; i < 200; ++i) names.insert(random_instance_name().str());
  EXPECT_GT(names.size(), 150U);
  for (const auto& name : names) EXPECT_NE(name.find('-'), std::string::npos);
}

}  // namespace
}  // namespace berth
