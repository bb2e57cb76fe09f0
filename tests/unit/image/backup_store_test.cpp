#include <filesystem>
#include <fstream>

#include "daemon/adapters/image/file_backup_store.hpp"
#include "tests/fakes/fake_backup_store.hpp"
#include "tests/unit/image/backup_store_contract.hpp"
#include "tests/unit/store/temporary_folder.hpp"

namespace berth::testing_support {
namespace {

class RealSubject : public BackupStoreSubject {
 public:
  RealSubject() : store_(*adapters::FileBackupStore::open(home_.path() + "/backups")) {}
  ports::BackupStore& store() override { return *store_; }

 private:
  TemporaryFolder home_;
  std::unique_ptr<adapters::FileBackupStore> store_;
};

class FakeSubject : public BackupStoreSubject {
 public:
  ports::BackupStore& store() override { return store_; }

 private:
  fakes::FakeBackupStore store_;
};

INSTANTIATE_TEST_SUITE_P(File, ABackupStore, ::testing::Values([] { return std::make_unique<RealSubject>(); }));
INSTANTIATE_TEST_SUITE_P(Fake, ABackupStore, ::testing::Values([] { return std::make_unique<FakeSubject>(); }));

TEST(TheBackupFolder, IsFoundAgainAndClearedOfWhatACrashLeft) {
  const TemporaryFolder home;
  const auto instance = new_uuid();
  {
    const auto store = *adapters::FileBackupStore::open(home.path() + "/backups");
    ASSERT_TRUE(store->commit(instance, {.name = *BackupName::parse("b0")}, *store->begin()));
    std::filesystem::create_directories(home.path() + "/backups/staging/half");
    std::ofstream(home.path() + "/backups/staging/half/backup") << "half";
  }
  const auto again = *adapters::FileBackupStore::open(home.path() + "/backups");
  EXPECT_TRUE(std::filesystem::is_empty(home.path() + "/backups/staging"));
  EXPECT_EQ(again->list(instance)->size(), 1U);
  // Rule 17: nobody but root looks in here.
  EXPECT_EQ(std::filesystem::status(home.path() + "/backups").permissions(), std::filesystem::perms::owner_all);
}

TEST(TheBackupFolder, LeavesOutABackupWhoseRecordIsDamaged) {
  const TemporaryFolder home;
  const auto instance = new_uuid();
  const auto store = *adapters::FileBackupStore::open(home.path() + "/backups");
  ASSERT_TRUE(store->commit(instance, {.name = *BackupName::parse("b0")}, *store->begin()));
  for (const auto& one : std::filesystem::directory_iterator(home.path() + "/backups/" + instance.str()))
    std::ofstream(one.path() / "meta.json") << R"({"name": "../x"})";
  EXPECT_TRUE(store->list(instance)->empty());
}

}  // namespace
}  // namespace berth::testing_support
