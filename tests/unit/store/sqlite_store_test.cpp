#include "daemon/adapters/sqlite/sqlite_store.hpp"

#include "base/unique_fd.hpp"
#include "tests/unit/store/store_fixtures.hpp"
#include "tests/unit/store/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace berth::sqlite {
namespace {

using contract::make_instance;
using contract::make_pool;
using contract::make_profile;
using testing::HasSubstr;

class ASqliteStore : public testing::Test {
 protected:
  std::string file() const { return folder_.path() + "/berth.db"; }
  std::unique_ptr<SqliteStore> open() {
    auto opened = SqliteStore::open(folder_.path());
    EXPECT_TRUE(opened) << (opened ? "" : opened.error().message);
    return opened ? *std::move(opened) : nullptr;
  }
  static mode_t mode_of(const std::string& path) {
    struct stat about {};
    return stat(path.c_str(), &about) == 0 ? about.st_mode & 07777U : 0;
  }
  static std::int64_t number(Database& database, std::string_view sql) {
    auto row = database.query(sql);
    EXPECT_TRUE(row);
    EXPECT_TRUE(row->step());
    return row->integer(0);
  }
  testing_support::TemporaryFolder folder_;
};

TEST_F(ASqliteStore, KeepsItsRowsAcrossARestart) {
  const auto instance = make_instance("c1");
  {
    const auto store = open();
    ASSERT_TRUE(store->insert_pool(make_pool()));
    ASSERT_TRUE(store->insert_instance(instance));
  }
  const auto back = open()->instance_by_uuid(instance.uuid);
  ASSERT_TRUE(back);
  contract::expect_same(*back, instance);
}

TEST_F(ASqliteStore, Rule17LetsRootAloneReadItsFiles) {
  chmod(folder_.path().c_str(), 0755);
  std::ofstream(file()).close();
  chmod(file().c_str(), 0644);
  const auto old_mask = umask(0);
  const auto store = open();
  EXPECT_TRUE(store->insert_pool(make_pool()));
  umask(old_mask);
  EXPECT_EQ(mode_of(folder_.path()), 0700U);
  for (const auto* suffix : {"", "-wal", "-shm"}) EXPECT_EQ(mode_of(file() + suffix), 0600U) << suffix;
}

TEST_F(ASqliteStore, Rule8TakesNoValueForSql) {
  const auto store = open();
  ASSERT_TRUE(store->insert_pool(make_pool()));
  auto odd = make_instance("c1");
  odd.description = "'); DROP TABLE instances; --";
  odd.config = {{"user.'; DELETE FROM instances; --", "' OR 1=1"}};
  ASSERT_TRUE(store->insert_instance(odd));
  contract::expect_same(*store->instance_by_uuid(odd.uuid), odd);
}

TEST_F(ASqliteStore, OpensANewerSchemaForReadingOnly) {
  const auto instance = make_instance("c1");
  {
    const auto store = open();
    ASSERT_TRUE(store->insert_pool(make_pool()));
    ASSERT_TRUE(store->insert_instance(instance));
  }
  {
    auto database = Database::open(file());
    ASSERT_TRUE(database);
    ASSERT_TRUE((*database)->run_script("ALTER TABLE instances ADD COLUMN later TEXT; PRAGMA user_version=4711"));
  }
  const auto store = open();
  EXPECT_TRUE(store->read_only());
  EXPECT_TRUE(store->instance_by_uuid(instance.uuid));
  for (const auto& refused : {store->insert_instance(make_instance("c2")), store->delete_instance(instance.uuid),
                              store->set_server_config({}), store->touch_instance(instance.uuid, Timestamp{})}) {
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::Unavailable);
    EXPECT_THAT(refused.error().message, HasSubstr("newer version of Berth"));
  }
}

TEST_F(ASqliteStore, RefusesADamagedFileAndAnotherProgramsByName) {
  std::ofstream(file()) << std::string(4096, 'x');
  auto opened = SqliteStore::open(folder_.path());
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("is damaged"));
  std::filesystem::remove(file());
  {
    auto database = Database::open(file());
    ASSERT_TRUE((*database)->run_script("CREATE TABLE other (a)"));
  }
  opened = SqliteStore::open(folder_.path());
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("another program's database"));
}

TEST_F(ASqliteStore, TellsOfAFullDiskAndStaysUsable) {
  ASSERT_TRUE(open()->insert_pool(make_pool()));
  auto database = *Database::open(file());
  ASSERT_TRUE(database->run_script("PRAGMA max_page_count=1"));
  {
    auto transaction = Transaction::begin(*database);
    ASSERT_TRUE(transaction);
    const auto full = database->run("INSERT INTO server_config VALUES ('user.a', ?)", std::string(1 << 20, 'x'));
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().code, Code::Unavailable);
    EXPECT_THAT(full.error().message, HasSubstr("is full"));
  }
  EXPECT_EQ(number(*database, "SELECT count(*) FROM server_config"), 0);
  ASSERT_TRUE(database->run_script("PRAGMA max_page_count=1000000"));
  EXPECT_TRUE(open()->set_server_config({{"user.a", "b"}}));
}

TEST_F(ASqliteStore, TellsWhenAnotherProcessHoldsTheDatabase) {
  const auto store = open();
  auto holder = *Database::open(file());
  auto held = Transaction::begin(*holder);
  ASSERT_TRUE(held);
  const auto refused = store->insert_pool(make_pool());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::Unavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("held by another process"));
}

TEST_F(ASqliteStore, AnswersWithAnErrorForARowThatIsDamaged) {
  const auto instance = make_instance("c1");
  const auto store = open();
  ASSERT_TRUE(store->insert_pool(make_pool()));
  ASSERT_TRUE(store->insert_instance(instance));
  auto database = *Database::open(file());
  for (const auto* text : {"{", "[]", R"({"a":1})", R"({"a":{"b":"c"}})", "null", ""}) {
    ASSERT_TRUE(database->run("UPDATE instances SET config = ?", std::string_view(text)));
    EXPECT_FALSE(store->instance_by_uuid(instance.uuid)) << text;
  }
  ASSERT_TRUE(database->run("UPDATE instances SET config = '{}', name = ?", std::string_view("../x")));
  EXPECT_FALSE(store->instance_by_uuid(instance.uuid));
}

class AMigration : public ASqliteStore {
 protected:
  static std::vector<Migration> with(const char* second) {
    std::vector<Migration> steps(migrations().begin(), migrations().end());
    steps.push_back({steps.back().version + 1, second});
    return steps;
  }
  void SetUp() override {
    const auto store = open();
    ASSERT_TRUE(store->insert_pool(make_pool()));
    ASSERT_TRUE(store->insert_instance(make_instance("c1")));
  }
};

TEST_F(AMigration, KeepsTheRowsAndACopyOfTheOldFile) {
  const auto steps = with("ALTER TABLE instances ADD COLUMN colour TEXT NOT NULL DEFAULT 'blue'");
  auto database = *Database::open(file());
  ASSERT_EQ(*migrate(*database, steps), SchemaAge::Current);
  EXPECT_EQ(number(*database, "SELECT count(*) FROM instances WHERE colour = 'blue'"), 1);
  EXPECT_EQ(number(*database, "PRAGMA user_version"), steps.back().version);
  ASSERT_EQ(*migrate(*database, steps), SchemaAge::Current);
  const auto copy = file() + ".before-v" + std::to_string(steps.back().version);
  EXPECT_EQ(mode_of(copy), 0600U);
  auto old = *Database::open(copy);
  EXPECT_EQ(number(*old, "SELECT count(*) FROM instances"), 1);
  EXPECT_EQ(number(*old, "PRAGMA user_version"), migrations().back().version);
}

TEST_F(AMigration, ThatFailsMidwayLeavesTheFileAsItWas) {
  auto database = *Database::open(file());
  const auto failed = migrate(*database, with("CREATE TABLE half (a); INSERT INTO half VALUES (1); SELECT nonsense;"));
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("migration of the database"));
  EXPECT_EQ(number(*database, "SELECT count(*) FROM sqlite_schema WHERE name = 'half'"), 0);
  EXPECT_EQ(number(*database, "PRAGMA user_version"), migrations().back().version);
  EXPECT_FALSE(migrate(*database, with("DELETE FROM storage_pools")));
  EXPECT_EQ(number(*database, "SELECT count(*) FROM storage_pools"), 1);
  database.reset();
  const auto store = open();
  EXPECT_FALSE(store->read_only());
  EXPECT_EQ(store->instances(daemon_principal(), std::nullopt)->size(), 1U);
}

TEST_F(AMigration, SaysOfAnOldDefaultProjectThatItHasEverythingOfItsOwn) {
  auto database = *Database::open(file());
  ASSERT_TRUE(database->run("UPDATE projects SET config = ?", std::string_view(R"({"features.images":"true","user.a":"b"})")));
  const auto steps = migrations();
  const auto step = std::find_if(steps.begin(), steps.end(), [](const Migration& each) {
    return std::string_view(each.sql).find("features.storage.volumes") != std::string_view::npos;
  });
  ASSERT_NE(step, steps.end());
  ASSERT_TRUE(database->run_script(step->sql));
  database.reset();
  EXPECT_EQ(open()->project(daemon_principal(), default_project())->config,
            (ConfigMap{{"features.images", "true"},
                       {"features.networks", "true"},
                       {"features.profiles", "true"},
                       {"features.storage.volumes", "true"},
                       {"user.a", "b"}}));
}

/// Runs the writer until it has reported `rows` inserts, then kills it. Gives the number it reported in the end.
int write_until_killed(const std::string& folder, int rows) {
  std::array<int, 2> ends{};
  EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, writing.get(), STDOUT_FILENO);
  std::string program = STORE_WRITER;
  std::string argument = folder;
  std::array<char*, 3> arguments{program.data(), argument.data(), nullptr};
  pid_t child = 0;
  EXPECT_EQ(posix_spawn(&child, program.c_str(), &actions, nullptr, arguments.data(), environ), 0);
  posix_spawn_file_actions_destroy(&actions);
  writing.reset();
  int reported = 0;
  char byte = 0;
  while (reported < rows && read(reading.get(), &byte, 1) == 1) ++reported;
  kill(child, SIGKILL);
  while (read(reading.get(), &byte, 1) == 1) ++reported;
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status));
  return reported;
}

TEST_F(ASqliteStore, LosesNothingItHadSaidWasDoneWhenItIsKilledWhileWriting) {
  ASSERT_TRUE(open()->insert_pool(make_pool()));
  ASSERT_TRUE(open()->insert_profile(make_profile("default")));
  std::size_t before = 0;
  for (const int rows : {1, 3, 8, 15, 40}) {
    const auto reported = static_cast<std::size_t>(write_until_killed(folder_.path(), rows));
    const auto store = open();
    const auto found = store->instances(daemon_principal(), std::nullopt);
    ASSERT_TRUE(found);
    // The one that was being written may be there as well, whole.
    EXPECT_GE(found->size(), before + reported);
    EXPECT_LE(found->size(), before + reported + 1);
    for (const auto& row : *found) EXPECT_EQ(row.profiles.size(), 1U);
    before = found->size();
    auto database = *Database::open(file());
    auto check = database->query("PRAGMA integrity_check");
    ASSERT_TRUE(check->step());
    EXPECT_EQ(check->text(0), "ok");
  }
}

}  // namespace
}  // namespace berth::sqlite
