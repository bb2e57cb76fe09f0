#include "daemon/adapters/sqlite/manifest_folder.hpp"

#include "daemon/domain/instance_manifest.hpp"
#include "tests/unit/store/store_fixtures.hpp"
#include "tests/unit/store/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sys/stat.h>

namespace berth::sqlite {
namespace {

class AManifestFolder : public testing::Test {
 protected:
  ManifestFolder open() { return *ManifestFolder::open(folder_.path() + "/instances"); }
  std::string file_of(const Uuid& uuid) { return folder_.path() + "/instances/" + uuid.str() + "/manifest.json"; }
  static mode_t mode_of(const std::string& path) {
    struct stat about {};
    return stat(path.c_str(), &about) == 0 ? about.st_mode & 07777U : 0;
  }
  testing_support::TemporaryFolder folder_;
};

TEST_F(AManifestFolder, GivesBackWhatWasWrittenLastForRootAlone) {
  auto manifests = open();
  auto instance = contract::make_instance("c1");
  ASSERT_TRUE(manifests.write(instance));
  instance.revision = 2;
  ASSERT_TRUE(manifests.write(instance));
  const auto back = open().read(instance.uuid);
  ASSERT_TRUE(back) << back.error().message;
  contract::expect_same(*back, instance);
  EXPECT_EQ(mode_of(file_of(instance.uuid)), 0600U);
  EXPECT_EQ(mode_of(folder_.path() + "/instances"), 0700U);
}

TEST_F(AManifestFolder, ListsAndForgets) {
  auto manifests = open();
  const auto one = contract::make_instance("c1");
  const auto two = contract::make_instance("c2");
  ASSERT_TRUE(manifests.write(one));
  ASSERT_TRUE(manifests.write(two));
  std::filesystem::create_directory(folder_.path() + "/instances/not-a-uuid");
  std::filesystem::create_directory(folder_.path() + "/instances/" + new_uuid().str());
  EXPECT_THAT(*manifests.list(), testing::UnorderedElementsAre(one.uuid, two.uuid));
  ASSERT_TRUE(manifests.remove(one.uuid));
  ASSERT_TRUE(manifests.remove(one.uuid));
  EXPECT_THAT(*manifests.list(), testing::ElementsAre(two.uuid));
  EXPECT_EQ(manifests.read(one.uuid).error().code, Code::NotFound);
}

TEST_F(AManifestFolder, RefusesGarbageLinksAndOtherInstancesManifests) {
  auto manifests = open();
  const auto one = contract::make_instance("c1");
  ASSERT_TRUE(manifests.write(one));
  std::ofstream(file_of(one.uuid)) << "{";
  EXPECT_EQ(manifests.read(one.uuid).error().code, Code::InvalidArgument);
  std::ofstream(file_of(one.uuid)) << manifest_to_json(contract::make_instance("c1"));
  EXPECT_EQ(manifests.read(one.uuid).error().code, Code::InvalidArgument);
  const auto elsewhere = folder_.path() + "/elsewhere";
  std::ofstream(elsewhere) << manifest_to_json(one);
  std::filesystem::remove(file_of(one.uuid));
  std::filesystem::create_symlink(elsewhere, file_of(one.uuid));
  EXPECT_FALSE(manifests.read(one.uuid));
}

}  // namespace
}  // namespace berth::sqlite
