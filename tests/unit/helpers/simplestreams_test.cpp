#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/helpers/server_image.hpp"

namespace berth::helpers {
namespace {

constexpr const char* kProducts = R"({"format": "products:1.0", "datatype": "image-downloads", "products": {
  "debian:bookworm:amd64:default": {"aliases": "debian/12,debian/bookworm", "arch": "amd64", "os": "Debian",
    "release": "bookworm", "release_title": "bookworm", "variant": "default", "lxd_requirements": {"secureboot": "false"},
    "versions": {
      "20260101_05:24": {"items": {
        "lxd.tar.xz": {"ftype": "lxd.tar.xz", "size": 10, "path": "a/lxd.tar.xz", "sha256": "00",
          "combined_squashfs_sha256": "aa01", "combined_rootxz_sha256": "aa02"},
        "root.squashfs": {"ftype": "squashfs", "size": 100, "path": "a/root.squashfs"},
        "root.tar.xz": {"ftype": "root.tar.xz", "size": 90, "path": "a/root.tar.xz"}}},
      "20260201_05:24": {"items": {
        "lxd.tar.xz": {"ftype": "lxd.tar.xz", "size": 11, "path": "b/lxd.tar.xz", "combined_rootxz_sha256": "bb02"},
        "root.tar.xz": {"ftype": "root.tar.xz", "size": 91, "path": "b/root.tar.xz"}}},
      "20260301_05:24": {"items": {"disk.qcow2": {"ftype": "disk-kvm.img", "path": "c/disk.qcow2", "size": 5}}}}},
  "debian:bookworm:arm64:default": {"aliases": "debian/12", "arch": "arm64", "os": "Debian", "release": "bookworm",
    "versions": {"20260401_05:24": {"items": {
        "lxd.tar.xz": {"ftype": "lxd.tar.xz", "size": 12, "path": "d/lxd.tar.xz", "combined_squashfs_sha256": "dd01"},
        "root.squashfs": {"ftype": "squashfs", "size": 120, "path": "d/root.squashfs"}}}}},
  "old": {"aliases": "old", "arch": "i386", "versions": {"20200101": {"items": {
        "combined": {"ftype": "lxd_combined.tar.gz", "size": 7, "path": "e/all.tar.gz", "sha256": "ee01"}}}}}}})";

ServerQuery query(const std::string& reference) {
  return {.server = "https://images.example",
          .protocol = "simplestreams",
          .certificate = {},
          .secret = {},
          .project = {},
          .reference = reference,
          .architectures = {"x86_64", "i686"}};
}

TEST(AListOfProducts, GivesTheNewestVersionOfThisArchitecture) {
  const auto image = pick_simplestreams_image(kProducts, query("debian/12"));
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_EQ(image->fingerprint, "bb02");
  EXPECT_EQ(image->architecture, "x86_64");
  EXPECT_TRUE(image->by_alias);
  EXPECT_EQ(image->size, 102U);
  ASSERT_EQ(image->files.size(), 2U);
  EXPECT_EQ(image->files[0].url, "https://images.example/b/lxd.tar.xz");
  EXPECT_EQ(image->files[1].url, "https://images.example/b/root.tar.xz");
  EXPECT_EQ(image->properties.at("description"), "Debian bookworm amd64 (20260201_05:24)");
  EXPECT_EQ(image->properties.at("requirements.secureboot"), "false");
  EXPECT_EQ(image->created_at, 1769904000);
}

TEST(AListOfProducts, GivesAnotherArchitectureWhenItIsNamed) {
  EXPECT_EQ(pick_simplestreams_image(kProducts, query("debian/12/arm64"))->fingerprint, "dd01");
  EXPECT_EQ(pick_simplestreams_image(kProducts, query("debian/12/amd64"))->fingerprint, "bb02");
}

TEST(AListOfProducts, GivesAnOldVersionByItsFingerprintAndPrefersSquashfs) {
  const auto image = pick_simplestreams_image(kProducts, query("aa"));
  ASSERT_TRUE(image);
  EXPECT_EQ(image->fingerprint, "aa01");
  EXPECT_FALSE(image->by_alias);
  EXPECT_EQ(image->files[1].url, "https://images.example/a/root.squashfs");
}

TEST(AListOfProducts, GivesImagesOfOneFile) {
  const auto image = pick_simplestreams_image(kProducts, query("old"));
  ASSERT_TRUE(image);
  EXPECT_EQ(image->fingerprint, "ee01");
  ASSERT_EQ(image->files.size(), 1U);
}

TEST(AListOfProducts, SaysWhenItHasNoSuchImage) {
  EXPECT_EQ(pick_simplestreams_image(kProducts, query("fedora")).error().code, Code::NotFound);
  EXPECT_EQ(pick_simplestreams_image("[]", query("debian/12")).error().code, Code::InvalidArgument);
  EXPECT_EQ(pick_simplestreams_image("{", query("debian/12")).error().code, Code::InvalidArgument);
}

TEST(AListOfProducts, MayHaveAnyFormWithoutHarm) {
  for (const char* const text : {R"({"products": []})", R"({"products": {"a": 1, "b": [], "c": {"versions": 3}}})",
                                 R"({"products": {"a": {"aliases": 5, "arch": {}, "versions": {"1": {"items": {"x": 7, "y": {"ftype": "lxd.tar.xz"}}}}}}})"})
    EXPECT_EQ(pick_simplestreams_image(text, query("debian/12")).error().code, Code::NotFound) << text;
}

TEST(ATimeOfAServer, IsSecondsOrNothing) {
  EXPECT_EQ(seconds_of_time("2026-02-01T05:24:00Z"), 1769923440);
  EXPECT_EQ(seconds_of_time("2026-02-01T05:24:00.123456789Z"), 1769923440);
  EXPECT_EQ(seconds_of_time("0001-01-01T00:00:00Z"), 0);
  EXPECT_EQ(seconds_of_time("yesterday"), 0);
  EXPECT_EQ(seconds_of_time("20261340_99:99"), 0);
  EXPECT_EQ(seconds_of_time(""), 0);
}

}  // namespace
}  // namespace berth::helpers
