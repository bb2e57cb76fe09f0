#include <sys/mman.h>
#include <unistd.h>

#include "daemon/domain/backup_document.hpp"
#include "daemon/services/backup_import.hpp"
#include "daemon/services/instance_backups.hpp"
#include "daemon/services/instance_query.hpp"
#include "tests/unit/services/services_fixture.hpp"

#include <nlohmann/json.hpp>

namespace berth::services {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Backups : public ServicesTest {
 protected:
  static InstanceRef ref(const std::string& name) { return {default_project(), instance_name(name)}; }
  static BackupName name(const std::string& text) { return *BackupName::parse(text); }
  std::vector<std::string> names(const std::string& of) {
    std::vector<std::string> out;
    const auto rows = backups_service_.describe(kAlice, ref(of), std::nullopt);
    EXPECT_TRUE(rows);
    for (const auto& row : *rows) out.push_back(std::get<std::string>(row.at("name").value));
    return out;
  }
  void snapshot(const std::string& of, const std::string& called) {
    expect_success(Snapshots(context_).create(kAlice, ref(of), {.name = *SnapshotName::parse(called)}));
  }
  /// What berth-helper would have found in a backup of `of`.
  std::string description(const std::string& of, const std::function<void(nlohmann::json&)>& change = {}) {
    expect_success(backups_service_.create(kAlice, ref(of), {}));
    auto index = nlohmann::json::parse(archives_.packed().back().files.front().text);
    nlohmann::json all{{"index", index}, {"config", index["config"]}};
    if (change) change(all);
    return all.dump();
  }
  Error import(const std::string& text, std::optional<std::string> as = "back", std::optional<std::string> pool = {}) {
    UniqueFd file(memfd_create("backup", MFD_CLOEXEC));
    EXPECT_EQ(write(file.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    lseek(file.get(), 0, SEEK_SET);
    ImportInstanceRequest request{.project = default_project(), .backup = std::move(file), .name = {}, .pool = {}};
    if (as) request.name = instance_name(*as);
    if (pool) request.pool = pool_name(*pool);
    return outcome(import_.import(kAlice, std::move(request)));
  }

  InstanceBackups backups_service_{context_};
  BackupImport import_{context_};
};

TEST_F(Backups, AreStoredListedRenamedSentAndDeleted) {
  make_instance("web");
  const auto made = backups_service_.create(kAlice, ref("web"), {.expires_at = Timestamp(std::chrono::hours(1'000'000))});
  expect_success(made);
  EXPECT_THAT(end_of(*made).resources.at("backups"), ElementsAre("backup0"));
  expect_success(backups_service_.create(kAlice, ref("web"), {}));
  EXPECT_THAT(names("web"), ElementsAre("backup0", "backup1"));
  expect_success(backups_service_.rename(kAlice, ref("web"), name("backup0"), name("kept")));
  EXPECT_THAT(names("web"), testing::UnorderedElementsAre("kept", "backup1"));
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd reading(ends[0]);
  const auto size = backups_service_.send(kAlice, ref("web"), name("kept"), UniqueFd(ends[1]));
  ASSERT_TRUE(size) << size.error().message;
  std::string bytes;
  std::array<char, 4096> chunk{};
  for (ssize_t n = 0; (n = read(reading.get(), chunk.data(), chunk.size())) > 0;)
    bytes.append(chunk.data(), static_cast<std::size_t>(n));
  EXPECT_EQ(bytes.size(), *size);
  EXPECT_THAT(bytes, HasSubstr("backup/container/rootfs"));
  expect_success(backups_service_.remove(kAlice, ref("web"), name("kept")));
  EXPECT_EQ(backups_service_.remove(kAlice, ref("web"), name("kept")).error().message,
            "Load backup from database: Instance backup not found");
  EXPECT_TRUE(await_action("instance-backup-deleted"));
}

TEST_F(Backups, HaveTheLayoutOfLxd) {
  make_instance("web");
  snapshot("web", "s0");
  expect_success(backups_service_.create(kAlice, ref("web"), {.compression = "xz"}));
  const auto packed = archives_.packed().at(0);
  EXPECT_EQ(packed.compression.name, "xz");
  EXPECT_EQ(packed.files.front().at, "backup/index.yaml");
  std::vector<std::string> places;
  for (const auto& tree : packed.trees) places.push_back(tree.at);
  EXPECT_THAT(places, ElementsAre("backup/snapshots/s0/rootfs", "backup/container/rootfs"));
  expect_success(backups_service_.create(kAlice, ref("web"), {.instance_only = true}));
  EXPECT_EQ(archives_.packed().at(1).trees.size(), 1U);
}

TEST_F(Backups, OfARunningInstanceDoNotTouchItsLayer) {
  const auto web = make_running("web");
  expect_success(backups_service_.create(kAlice, ref("web"), {}));
  EXPECT_THAT(archives_.packed().at(0).trees[0].root.layer, HasSubstr("/snapshots/"));
  EXPECT_EQ(driver_->snapshots(), 0U);
  EXPECT_EQ(runtime_.status(web.uuid), InstanceStatus::Running);
}

TEST_F(Backups, ThatFailAreNotThere) {
  make_instance("web");
  archives_.fail_next("pack", Error{Code::Unavailable, "the disk is full"});
  EXPECT_EQ(outcome(backups_service_.create(kAlice, ref("web"), {})).message, "the disk is full");
  EXPECT_THAT(names("web"), IsEmpty());
  EXPECT_EQ(backups_service_.create(kAlice, ref("web"), {.optimized = true}).error().code, Code::NotSupported);
  EXPECT_EQ(backups_service_.create(kAlice, ref("nope"), {}).error().code, Code::NotFound);
}

TEST_F(Backups, AreStreamedIntoADescriptorWithoutBeingStored) {
  make_instance("web");
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd reading(ends[0]);
  expect_success(backups_service_.stream(kAlice, ref("web"), {}, UniqueFd(ends[1])));
  std::array<char, 65536> chunk{};
  EXPECT_GT(read(reading.get(), chunk.data(), chunk.size()), 0);
  EXPECT_EQ(read(reading.get(), chunk.data(), chunk.size()), 0) << "the end is seen";
  EXPECT_THAT(names("web"), IsEmpty());
}

TEST_F(Backups, GoWhenTheyExpireAndWithTheirInstance) {
  const auto web = make_instance("web");
  expect_success(backups_service_.create(
      kAlice, ref("web"), {.name = name("soon"), .expires_at = clock_.now() + std::chrono::minutes(5)}));
  expect_success(backups_service_.create(kAlice, ref("web"), {.name = name("never")}));
  EXPECT_EQ(*backups_service_.delete_expired(), 0U);
  clock_.advance(std::chrono::minutes(6));
  EXPECT_EQ(*backups_service_.delete_expired(), 1U);
  EXPECT_THAT(names("web"), ElementsAre("never"));
  expect_success(lifecycle_.remove(kRoot, default_project(), web.name, false));
  EXPECT_THAT(*backups_.instances(), IsEmpty());
}

TEST_F(Backups, ComeBackAsAnInstanceWithItsSnapshots) {
  const auto web = make_instance("web", {{"user.colour", "blue"}});
  snapshot("web", "s0");
  snapshot("web", "s1");
  ASSERT_EQ(import(description("web")).message, "");
  const auto back = stored("back");
  EXPECT_EQ(back.config.at("user.colour"), "blue");
  EXPECT_NE(back.uuid, web.uuid);
  EXPECT_EQ(back.config.at("volatile.uuid"), back.uuid.str());
  EXPECT_EQ(back.created_at, web.created_at);
  EXPECT_EQ(store_.snapshots(back.uuid)->size(), 2U);
  EXPECT_THAT(archives_.unpacked(), ElementsAre("s0", "s1"));
  EXPECT_EQ(driver_->snapshots(), 4U);
  expect_success(lifecycle_.start(kRoot, default_project(), back.name));
}

TEST_F(Backups, DoNotReplaceAnInstanceThatIsThere) {
  make_instance("web");
  const auto text = description("web");
  EXPECT_THAT(import(text, std::nullopt).message, HasSubstr("already exists"));
  EXPECT_EQ(import(text, "other").message, "");
}

TEST_F(Backups, LeaveNothingWhenTheyCannotBeRestored) {
  make_instance("web");
  snapshot("web", "s0");
  const auto text = description("web");
  archives_.fail_next("unpack", Error{Code::InvalidArgument, "the member x is a bomb"});
  EXPECT_EQ(import(text).message, "the member x is a bomb");
  EXPECT_FALSE(exists("back"));
  EXPECT_EQ(driver_->roots()->size(), 1U);
  EXPECT_EQ(driver_->snapshots(), 1U);
  EXPECT_TRUE(store_.intents()->empty());
  EXPECT_THAT(import("junk").message, HasSubstr("no backup"));
  EXPECT_EQ(import(text).message, "");
}

TEST_F(Backups, Rule4_MayNotBringNamesThatAreNone) {
  make_instance("web");
  snapshot("web", "s0");
  const auto refused = [&](const std::function<void(nlohmann::json&)>& change, std::optional<std::string> as = "back") {
    const auto error = import(description("web", change), std::move(as));
    EXPECT_EQ(error.code, Code::InvalidArgument) << error.message;
    EXPECT_FALSE(exists("back"));
  };
  refused([](auto& all) { all["index"]["name"] = "../../etc"; }, std::nullopt);
  refused([](auto& all) { all["index"]["snapshots"] = {"../s0"}; });
  refused([](auto& all) { all["index"]["snapshots"] = {"s0", "s0"}; });
  refused([](auto& all) { all["index"]["snapshots"] = {"unknown"}; });
  refused([](auto& all) { all["config"]["container"]["profiles"] = {"a/b"}; });
  refused([](auto& all) { all["config"]["container"]["config"]["user.x"] = {{"a", "map"}}; });
  refused([](auto& all) { all["config"]["container"]["config"]["limits.memory"] = "many"; });
  refused([](auto& all) { all["config"]["container"]["devices"] = {{"d", {{"type", "nonsense"}}}}; });
  refused([](auto& all) { all["config"]["container"]["architecture"] = "z80"; });
  refused([](auto& all) { all["config"]["container"]["description"] = "a\nb"; });
}

TEST_F(Backups, Rule5_MayNotBringWhatReachesTheHostUnasked) {
  make_instance("web");
  const auto text = description("web", [](auto& all) { all["config"]["container"]["config"]["security.privileged"] = "true"; });
  EXPECT_EQ(import(text).code, Code::AccessDenied);
  EXPECT_FALSE(exists("back"));
  access_allowed_ = true;
  EXPECT_EQ(import(text).message, "");
  EXPECT_THAT(access_asked_.back(), ElementsAre(HasSubstr("security.privileged")));
}

TEST_F(Backups, GoToThePoolThatIsThere) {
  make_instance("web");
  const auto text = description("web", [](auto& all) {
    all["index"]["pool"] = "elsewhere";
    all["config"]["container"]["devices"] = {{"root", {{"type", "disk"}, {"path", "/"}, {"pool", "elsewhere"}}}};
  });
  EXPECT_EQ(import(text).message, "");
  EXPECT_EQ(stored("back").pool.str(), "default");
  EXPECT_EQ(stored("back").devices.at("root").at("pool"), "default");
  EXPECT_EQ(import(text, "other", "nope").code, Code::NotFound);
}

TEST_F(Backups, OfAnotherKindAreRefusedInWords) {
  make_instance("web");
  EXPECT_THAT(import(description("web", [](auto& all) { all["index"]["optimized"] = true; })).message, HasSubstr("optimized"));
  EXPECT_THAT(import(description("web", [](auto& all) { all["index"]["type"] = "virtual-machine"; })).message,
              HasSubstr("not of a container"));
}

}  // namespace
}  // namespace berth::services
