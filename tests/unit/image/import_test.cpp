#include <fcntl.h>
#include <sys/xattr.h>

#include <array>
#include <thread>

#include "tests/unit/image/image_store_fixture.hpp"

namespace berth {
namespace {

using ::testing::HasSubstr;
using testing_support::file_of;
using testing_support::TarBuilder;

class ImportingAnImage : public testing_support::FileImageStoreTest {};

TarBuilder small_image() {
  TarBuilder tar;
  tar.good_metadata().folder("rootfs/", {0755}).folder("rootfs/etc").file("rootfs/etc/hostname", "guest\n");
  return tar;
}

TEST_F(ImportingAnImage, KeepsContentOwnersModesTimesAndLinks) {
  TarBuilder tar = small_image();
  tar.file("rootfs/etc/shadow", "secret", {0640, 0, 42, 1600000000})
      .file("rootfs/bin/su", "program", {04755})
      .folder("rootfs/home/", {0700, 1000, 1000, 1500000000})
      .file("rootfs/home/x", "y", {0600, 1000, 1000})
      .symlink("rootfs/lib", "usr/lib")
      .hard_link("rootfs/etc/gshadow", "rootfs/etc/shadow")
      .fifo("rootfs/run/initctl")
      .file("rootfs/etc/\xc3\xbc", "utf-8");
  const std::string tree = import(tar.bytes());

  EXPECT_EQ(read(tree + "/etc/hostname"), "guest\n");
  const auto shadow = look(tree + "/etc/shadow");
  EXPECT_EQ(shadow.st_uid, 0U);
  EXPECT_EQ(shadow.st_gid, 42U);
  EXPECT_EQ(shadow.st_mode & 07777, 0640U);
  EXPECT_EQ(shadow.st_mtime, 1600000000);
  EXPECT_EQ(shadow.st_nlink, 2U);
  EXPECT_EQ(look(tree + "/bin/su").st_mode & 07777, 04755U);
  const auto home = look(tree + "/home");
  EXPECT_EQ(home.st_uid, 1000U);
  EXPECT_EQ(home.st_mode & 07777, 0700U);
  EXPECT_EQ(home.st_mtime, 1500000000);
  EXPECT_EQ(std::filesystem::read_symlink(tree + "/lib"), "usr/lib");
  EXPECT_TRUE(S_ISFIFO(look(tree + "/run/initctl").st_mode));
  EXPECT_EQ(read(tree + "/etc/\xc3\xbc"), "utf-8");
}

TEST_F(ImportingAnImage, KeepsFileCapabilitiesSoThatTheHostAndAGuestSeeThem) {
  // Version 2 of the attribute, little-endian: effective bit, permitted CAP_NET_RAW (13).
  std::string value(20, '\0');
  value[0] = 1;
  value[3] = 2;
  value[5] = 0x20;
  TarBuilder tar = small_image();
  tar.xattr("security.capability", value).file("rootfs/bin/ping", "program", {0755});
  const std::string ping = import(tar.bytes()) + "/bin/ping";

  std::array<char, 64> kept{};
  // The kernel keeps it as belonging to the tree's root (rootid 0 on disk), which an idmapped mount turns into the
  // guest's root.
  ASSERT_GE(getxattr(ping.c_str(), "security.capability", kept.data(), kept.size()), 20);
  EXPECT_EQ(kept[5], 0x20);
}

TEST_F(ImportingAnImage, KeepsUserAttributesAndAcls) {
  TarBuilder tar = small_image();
  tar.xattr("user.note", "kept").xattr("trusted.secret", "host's").file("rootfs/marked", "x");
  tar.pax("SCHILY.acl.access", "user::rw-,user:1000:r--:1000,group::r--,mask::r--,other::---")
      .file("rootfs/shared", "x");
  const std::string tree = import(tar.bytes());

  std::array<char, 256> value{};
  EXPECT_EQ(getxattr((tree + "/marked").c_str(), "user.note", value.data(), value.size()), 4);
  EXPECT_LT(getxattr((tree + "/marked").c_str(), "trusted.secret", value.data(), value.size()), 0);
  EXPECT_EQ(getxattr((tree + "/shared").c_str(), "system.posix_acl_access", value.data(), value.size()), 4 + 5 * 8);
}

TEST_F(ImportingAnImage, TellsMetadataSizeAndFingerprint) {
  TarBuilder tar;
  tar.file("metadata.yaml",
           "architecture: amd64\ncreation_date: 1700000000\nexpiry_date: 1800000000\nproperties: {os: Debian, version: "
           "12}\n"
           "templates:\n  /etc/hostname: {when: [create, copy], create_only: true, template: hostname.tpl, properties: "
           "{a: b}}\n")
      .folder("templates")
      .file("templates/hostname.tpl", "{{ container.name }}")
      .folder("rootfs");
  const auto staged = stage(tar.bytes());
  ASSERT_TRUE(staged) << staged.error().message;
  EXPECT_EQ(staged->metadata.architecture, "x86_64");
  EXPECT_EQ(staged->metadata.properties.at("version"), "12");
  EXPECT_EQ(staged->metadata.created_at, Timestamp(std::chrono::seconds(1700000000)));
  EXPECT_EQ(staged->metadata.expires_at, Timestamp(std::chrono::seconds(1800000000)));
  ASSERT_EQ(staged->metadata.templates.size(), 1U);
  EXPECT_EQ(staged->metadata.templates[0].source, "hostname.tpl");
  EXPECT_TRUE(staged->metadata.templates[0].create_only);
  EXPECT_EQ(staged->size, tar.bytes().size());
  EXPECT_FALSE(staged->split);
  EXPECT_FALSE(staged->needs_plain_root);

  ASSERT_TRUE(store_->commit(*staged));
  const auto kept = store_->metadata(staged->fingerprint);
  ASSERT_TRUE(kept) << kept.error().message;
  EXPECT_EQ(kept->properties, staged->metadata.properties);
  EXPECT_EQ(kept->templates[0].when, (std::vector<std::string>{"create", "copy"}));
  EXPECT_EQ(look(store_path() + "/" + staged->fingerprint.str() + "/templates/hostname.tpl").st_mode & 07777, 0600U);
}

TEST_F(ImportingAnImage, FromAPipeThatIsWrittenSlowlyGivesTheSameImage) {
  const std::string bytes = small_image().bytes();
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  UniqueFd read_end(ends[0]), write_end(ends[1]);
  std::thread writer([&] {
    for (const char& c : bytes) ASSERT_EQ(write(write_end.get(), &c, 1), 1);
    write_end.reset();
  });
  const auto staged = store_->stage({.file = std::move(read_end), .rootfs = {}, .expected = {}}, {}, {});
  writer.join();
  ASSERT_TRUE(staged) << staged.error().message;
  const auto again = stage(bytes);
  ASSERT_TRUE(again);
  EXPECT_EQ(staged->fingerprint, again->fingerprint);
  store_->discard(staged->staging);
  store_->discard(again->staging);
}

TEST_F(ImportingAnImage, StopsWhenItIsCancelled) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  UniqueFd read_end(ends[0]);
  const UniqueFd kept_open(ends[1]);
  const auto staged =
      store_->stage({.file = std::move(read_end), .rootfs = {}, .expected = {}}, {}, [] { return true; });
  ASSERT_FALSE(staged);
  EXPECT_EQ(staged.error().code, Code::Cancelled);
}

TEST_F(ImportingAnImage, OfTheSameImageFourTimesAtOnceGivesOne) {
  const std::string bytes = small_image().bytes();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      const auto staged = stage(bytes);
      ASSERT_TRUE(staged) << staged.error().message;
      EXPECT_TRUE(store_->commit(*staged));
    });
  for (auto& thread : threads) thread.join();
  const auto images = store_->reconcile();
  ASSERT_TRUE(images);
  EXPECT_EQ(images->size(), 1U);
}

TEST_F(ImportingAnImage, ASparseFileOfTenGigabytesTakesNoSuchSpace) {
  TarBuilder tar = small_image();
  tar.sparse_file("rootfs/disk", 10ULL << 30, std::string(4096, 'x'));
  const auto disk = look(import(tar.bytes()) + "/disk");
  EXPECT_EQ(disk.st_size, 10LL << 30);
  EXPECT_LT(disk.st_blocks * 512, 1 << 20);
}

TEST_F(ImportingAnImage, MarksATreeWithOverlayAttributesOrWhiteoutsForAPlainRoot) {
  TarBuilder whiteout = small_image();
  whiteout.character_device("rootfs/etc/gone", 0, 0);
  const std::string tree = import(whiteout.bytes());
  EXPECT_TRUE(staged_->needs_plain_root);
  EXPECT_TRUE(store_->needs_plain_root(staged_->fingerprint).value_or(false));
  EXPECT_TRUE(S_ISCHR(look(tree + "/etc/gone").st_mode));

  TarBuilder trusted = small_image();
  trusted.xattr("trusted.overlay.opaque", "y").folder("rootfs/opaque");
  import(trusted.bytes());
  EXPECT_TRUE(staged_->needs_plain_root);

  TarBuilder user = small_image();
  user.xattr("user.overlay.opaque", "y").folder("rootfs/opaque");
  import(user.bytes());
  EXPECT_TRUE(staged_->needs_plain_root);
}

TEST_F(ImportingAnImage, PassesOverDeviceNodesBelowDev) {
  TarBuilder tar = small_image();
  tar.folder("rootfs/dev")
      .character_device("rootfs/dev/null", 1, 3)
      .block_device("rootfs/dev/sda", 8, 0)
      .symlink("rootfs/dev/fd", "/proc/self/fd");
  const std::string tree = import(tar.bytes());
  EXPECT_FALSE(std::filesystem::exists(tree + "/dev/null"));
  EXPECT_TRUE(std::filesystem::is_symlink(tree + "/dev/fd"));
}

TEST_F(ImportingAnImage, RefusesAFingerprintThatWasNotExpected) {
  const auto staged = store_->stage(
      {.file = file_of(small_image().bytes()), .rootfs = {}, .expected = *Fingerprint::parse(std::string(64, 'a'))}, {},
      {});
  ASSERT_FALSE(staged);
  EXPECT_EQ(staged.error().code, Code::FailedPrecondition);
}

}  // namespace
}  // namespace berth
