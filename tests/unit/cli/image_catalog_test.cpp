#include "cli/image_catalog.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::cli {
namespace {

constexpr const char* kProducts = R"({"products": {
  "a": {"aliases": "debian/12,debian/bookworm", "arch": "amd64", "os": "Debian", "release": "bookworm", "versions": {
    "20260101": {"items": {"m": {"ftype": "lxd.tar.xz", "path": "a/m", "size": 1, "combined_squashfs_sha256": "aa01", "combined_rootxz_sha256": "aa02"},
      "s": {"ftype": "squashfs", "path": "a/s", "size": 2}, "r": {"ftype": "root.tar.xz", "path": "a/r", "size": 3}}},
    "20260201": {"items": {"m": {"ftype": "lxd.tar.xz", "path": "b/m", "size": 1, "combined_squashfs_sha256": "bb01"},
      "s": {"ftype": "squashfs", "path": "b/s", "size": 2}, "vm": {"ftype": "disk-kvm.img", "path": "b/vm", "size": 4}}}}},
  "b": {"aliases": "debian/12,board", "arch": "arm64", "os": "Debian", "release": "bookworm", "versions": {
    "20260301": {"items": {"m": {"ftype": "lxd.tar.xz", "path": "c/m", "combined_squashfs_sha256": "cc01"}, "s": {"ftype": "squashfs", "path": "c/s"}}}}}}})";

ImageCatalog catalog() { return {*simplestreams::images(kProducts), {"x86_64", "i686"}}; }

std::vector<std::string> texts(const Json& objects, const std::string& name) {
  std::vector<std::string> found;
  for (const auto& object : objects) found.push_back(object[name]);
  return found;
}

TEST(ACatalogOfImages, HasEachFormOfEachVersionTheNewestFirst) {
  EXPECT_THAT(texts(catalog().images(), "fingerprint"), testing::ElementsAre("cc01", "bb01", "aa01", "aa02"));
}

TEST(ACatalogOfImages, GivesNamesToTheNewestImageOfEachArchitecture) {
  const auto all = catalog();
  EXPECT_THAT(texts(all.images()[1]["aliases"], "name"),
              testing::ElementsAre("debian/12", "debian/12/amd64", "debian/bookworm", "debian/bookworm/amd64"));
  EXPECT_THAT(texts(all.images()[0]["aliases"], "name"), testing::ElementsAre("debian/12/arm64", "board/arm64"));
  EXPECT_TRUE(all.images()[2]["aliases"].empty());
}

TEST(ACatalogOfImages, TakesANameForWhatThisMachineRunsBest) {
  const auto all = catalog();
  EXPECT_EQ((*all.alias("debian/12"))["target"], "bb01");
  EXPECT_EQ((*all.alias("debian/12/arm64"))["target"], "cc01");
  EXPECT_EQ((*all.alias("board"))["target"], "cc01");
  EXPECT_EQ(all.alias("fedora").error().code, Code::NotFound);
}

TEST(ACatalogOfImages, FindsAnImageByTheBeginningOfItsFingerprint) {
  const auto all = catalog();
  EXPECT_EQ((*all.image("cc"))["architecture"], "aarch64");
  EXPECT_EQ(all.image("aa").error().code, Code::InvalidArgument);
  EXPECT_EQ(all.image("dd").error().code, Code::NotFound);
  EXPECT_EQ(all.image("").error().code, Code::InvalidArgument);
  EXPECT_EQ(ImageCatalog({}, {}).image("").error().code, Code::NotFound);
  EXPECT_EQ((*all.files("bb01"))[1].path, "b/s");
}

}  // namespace
}  // namespace berth::cli
