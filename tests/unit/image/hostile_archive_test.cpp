#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>

#include "tests/unit/image/image_store_fixture.hpp"

namespace berth {
namespace {

using testing_support::TarBuilder;

class AHostileArchive : public testing_support::FileImageStoreTest {};

TarBuilder start() {
  TarBuilder tar;
  tar.good_metadata().folder("rootfs/", {0755});
  return tar;
}

/// `bytes` as one zstd frame.
std::string compressed(const std::string& bytes) {
  std::string out(bytes.size() + 4096, '\0');
  std::size_t used = 0;
  archive* const a = archive_write_new();
  archive_write_add_filter_zstd(a);
  archive_write_set_format_raw(a);
  archive_write_open_memory(a, out.data(), out.size(), &used);
  archive_entry* const entry = archive_entry_new();
  archive_entry_set_filetype(entry, AE_IFREG);
  archive_write_header(a, entry);
  archive_write_data(a, bytes.data(), bytes.size());
  archive_entry_free(entry);
  archive_write_close(a);
  archive_write_free(a);
  out.resize(used);
  return out;
}

// Rule 1: the daemon's own folders are not the image's to choose.
TEST_F(AHostileArchive, Rule1_MayNotMakeTheTopOfTheTreeASymlink) {
  TarBuilder tar;
  tar.good_metadata().symlink("rootfs", home_.path()).file("rootfs/canary", "overwritten");
  expect_refused(tar.bytes(), Code::InvalidArgument, "`rootfs`");
}

TEST_F(AHostileArchive, Rule1_MayNotMakeTemplatesASymlink) {
  TarBuilder tar = start();
  tar.symlink("templates", home_.path()).file("templates/canary", "overwritten");
  expect_refused(tar.bytes(), Code::InvalidArgument, "`templates`");
}

TEST_F(AHostileArchive, Rule1_MayNotHaveATemplateThatIsALinkOrLiesDeeper) {
  expect_refused(start().symlink("templates/x.tpl", "/etc/shadow").bytes(), Code::InvalidArgument, "`templates/x.tpl`");
  expect_refused(start().file("rootfs/a", "").hard_link("templates/y.tpl", "rootfs/a").bytes(), Code::InvalidArgument,
                 "`templates/y.tpl`");
  expect_refused(start().file("templates/a/b", "x").bytes(), Code::InvalidArgument, "`templates/a/b`");
}

TEST_F(AHostileArchive, Rule3_MayNotNameAbsolutePaths) {
  expect_refused(start().file(home_.path() + "/canary", "overwritten").bytes(), Code::InvalidArgument,
                 "`" + home_.path() + "/canary`");
  EXPECT_FALSE(std::filesystem::exists("/rootfs"));
}

TEST_F(AHostileArchive, Rule3_MayNotClimbByDotDot) {
  expect_refused(start().file("rootfs/../../../../canary", "overwritten").bytes(), Code::InvalidArgument,
                 "`rootfs/../../../../canary`");
  expect_refused(start().file("../canary", "overwritten").bytes(), Code::InvalidArgument, "`../canary`");
}

TEST_F(AHostileArchive, Rule3_MayNotWriteThroughASymlinkOfItsOwn) {
  expect_refused(start().symlink("rootfs/out", home_.path()).file("rootfs/out/canary", "overwritten").bytes(),
                 Code::InvalidArgument, "`out/canary`");
  expect_refused(start().folder("rootfs/a").symlink("rootfs/in", "a").file("rootfs/in/file", "x").bytes(),
                 Code::InvalidArgument, "`in/file`");
}

TEST_F(AHostileArchive, Rule3_ReplacesAMemberThatComesTwiceAndNeverWritesThroughIt) {
  TarBuilder tar = start();
  tar.symlink("rootfs/file", home_.path() + "/canary")
      .file("rootfs/file", "second")
      .file("rootfs/linked", "one")
      .hard_link("rootfs/other", "rootfs/linked")
      .file("rootfs/linked", "two")
      .folder("rootfs/folder")
      .file("rootfs/folder/old", "x")
      .file("rootfs/folder", "now a file")
      .file("rootfs/was-file", "x")
      .folder("rootfs/was-file", {0700})
      .file("rootfs/was-file/in", "y");
  const std::string tree = import(tar.bytes());
  EXPECT_FALSE(std::filesystem::is_symlink(tree + "/file"));
  EXPECT_EQ(read(tree + "/file"), "second");
  EXPECT_EQ(read(tree + "/linked"), "two");
  EXPECT_EQ(read(tree + "/other"), "one");
  EXPECT_EQ(read(tree + "/folder"), "now a file");
  EXPECT_EQ(read(tree + "/was-file/in"), "y");
}

TEST_F(AHostileArchive, Rule3_MayNotReplaceAFolderByASymlinkAndWriteOn) {
  TarBuilder tar = start();
  tar.folder("rootfs/d")
      .file("rootfs/d/a", "x")
      .symlink("rootfs/d", home_.path())
      .file("rootfs/d/canary", "overwritten");
  expect_refused(tar.bytes(), Code::InvalidArgument, "`d/canary`");
}

TEST_F(AHostileArchive, Rule3_MayNotHaveDeviceNodes) {
  expect_refused(start().block_device("rootfs/etc/disk", 8, 0).bytes(), Code::InvalidArgument, "`rootfs/etc/disk`");
  expect_refused(start().character_device("rootfs/mem", 1, 1).bytes(), Code::InvalidArgument, "`rootfs/mem`");
}

TEST_F(AHostileArchive, Rule3_MayNotHardLinkOutOfTheTree) {
  expect_refused(start().hard_link("rootfs/shadow", "/etc/shadow").bytes(), Code::InvalidArgument, "`rootfs/shadow`");
  expect_refused(start().hard_link("rootfs/up", "rootfs/../../../canary").bytes(), Code::InvalidArgument,
                 "`rootfs/up`");
  expect_refused(start().file("templates/t", "x").hard_link("rootfs/side", "templates/t").bytes(),
                 Code::InvalidArgument, "`rootfs/side`");
  expect_refused(start().symlink("rootfs/out", home_.path()).hard_link("rootfs/through", "rootfs/out/canary").bytes(),
                 Code::InvalidArgument, "`through`");
  expect_refused(start().hard_link("rootfs/nothing", "rootfs/absent").bytes(), Code::InvalidArgument, "`nothing`");
}

TEST_F(AHostileArchive, Rule3_MayNotHaveOwnersThatNoContainerHas) {
  expect_refused(start().pax("uid", "4294967295").file("rootfs/x", "").bytes(), Code::InvalidArgument, "`rootfs/x`");
}

TEST_F(AHostileArchive, Rule3_MayNotBeTruncatedOrDamagedOrNoArchive) {
  TarBuilder tar = start();
  tar.file("rootfs/large", std::string(100000, 'x'));
  expect_refused(tar.cut(5000), Code::InvalidArgument, "truncated");
  const std::string packed = compressed(tar.bytes());
  expect_refused(packed.substr(0, packed.size() / 2), Code::InvalidArgument, "truncated");
  expect_refused("this is no archive at all", Code::InvalidArgument, "unknown kind");
  expect_refused("", Code::InvalidArgument, "");
  expect_refused("hsqs and more", Code::InvalidArgument, "metadata tarball");
}

TEST_F(AHostileArchive, Rule3_MustHaveMetadataAndARoot) {
  expect_refused(TarBuilder().folder("rootfs").bytes(), Code::InvalidArgument, "metadata.yaml");
  expect_refused(TarBuilder().good_metadata().bytes(), Code::InvalidArgument, "rootfs");
}

TEST_F(AHostileArchive, Rule20_MayNotUnpackToMoreThanIsAccepted) {
  open({.max_bytes = 1 << 20});
  expect_refused(start().file("rootfs/large", std::string(2 << 20, 'x')).bytes(), Code::LimitsExceeded, "`large`");
}

TEST_F(AHostileArchive, Rule20_MayNotBeABomb) {
  const std::string bomb = compressed(start().file("rootfs/bomb", std::string(300 << 20, 'x')).bytes());
  ASSERT_LT(bomb.size(), 1U << 20);
  expect_refused(bomb, Code::LimitsExceeded, "bomb");
}

TEST_F(AHostileArchive, Rule20_MayNotHaveTooManyMembers) {
  open({.max_members = 50});
  TarBuilder tar = start();
  for (int i = 0; i < 60; ++i) tar.file("rootfs/" + std::to_string(i), "");
  expect_refused(tar.bytes(), Code::LimitsExceeded, "too many");
}

TEST_F(AHostileArchive, Rule20_MayNotBeLargerThanIsAccepted) {
  open({.max_file = 1000});
  expect_refused(start().file("rootfs/x", std::string(4000, 'x')).bytes(), Code::LimitsExceeded, "larger");
}

TEST_F(AHostileArchive, Rule20_MayNotNestFoldersWithoutEnd) {
  std::string deep = "rootfs";
  for (int i = 0; i < 300; ++i) deep += "/d";
  expect_refused(start().folder(deep).bytes(), Code::InvalidArgument, "nested too deeply");
  expect_refused(start().file("rootfs/" + std::string(300, 'n'), "").bytes(), Code::InvalidArgument, "too long a name");
}

TEST_F(AHostileArchive, Rule20_MayNotNameAFileLargerThanAnyDisk) {
  expect_refused(start().sparse_file("rootfs/huge", 1ULL << 45, "x").bytes(), Code::LimitsExceeded, "`huge`");
}

class HostileMetadata : public testing_support::FileImageStoreTest {
 protected:
  static std::string with(const std::string& yaml) {
    return TarBuilder().file("metadata.yaml", yaml).folder("rootfs").bytes();
  }
  static inline const std::string kGood = "architecture: x86_64\ncreation_date: 1700000000\n";
};

TEST_F(HostileMetadata, Rule1_MustBeAPlainFile) {
  const auto refuse = [this](const TarBuilder& tar) {
    expect_refused(tar.bytes(), Code::InvalidArgument, "metadata.yaml`");
  };
  refuse(TarBuilder().symlink("metadata.yaml", "/etc/passwd").folder("rootfs"));
  refuse(TarBuilder().folder("metadata.yaml").folder("rootfs"));
  refuse(TarBuilder().fifo("metadata.yaml").folder("rootfs"));
  refuse(TarBuilder().folder("rootfs").file("rootfs/a", "x").hard_link("metadata.yaml", "rootfs/a"));
}

TEST_F(HostileMetadata, Rule20_MayNotBeHuge) {
  expect_refused(with(kGood + "# " + std::string(2 << 20, 'x')), Code::LimitsExceeded, "`metadata.yaml`");
}

TEST_F(HostileMetadata, Rule20_MayNotGrowByAliases) {
  std::string yaml = kGood + "x: &a " + std::string(100000, 'x') + "\nproperties:\n";
  for (int i = 0; i < 900; ++i) yaml += "  p" + std::to_string(i) + ": *a\n";
  expect_refused(with(yaml), Code::LimitsExceeded, "aliases");
  std::string laughs = kGood + "a0: &a0 [x, x]\n";
  for (int i = 1; i < 40; ++i)
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + ", *a" +
              std::to_string(i - 1) + "]\n";
  laughs += "properties:\n  p: *a39\n";
  expect_refused(with(laughs), Code::InvalidArgument, "properties.p");
}

TEST_F(HostileMetadata, Rule3_KillsNoDaemonByDepth) {
  expect_refused(with(kGood + "properties: " + std::string(200000, '[')), Code::InvalidArgument, "");
}

TEST_F(HostileMetadata, Rule3_MustHaveTheRightTypes) {
  expect_refused(with("- a\n- b\n"), Code::InvalidArgument, "must be a map");
  expect_refused(with("creation_date: 1700000000\n"), Code::InvalidArgument, "architecture");
  expect_refused(with("architecture: x86_64\n"), Code::InvalidArgument, "creation_date");
  expect_refused(with("architecture: x86_64\ncreation_date: 0\n"), Code::InvalidArgument, "Missing creation date");
  expect_refused(with("architecture: pdp11\ncreation_date: 1700000000\n"), Code::InvalidArgument, "pdp11");
  expect_refused(with("architecture: [a]\ncreation_date: 1700000000\n"), Code::InvalidArgument, "architecture");
  expect_refused(with("architecture: x86_64\ncreation_date: soon\n"), Code::InvalidArgument, "creation_date");
  expect_refused(with("architecture: x86_64\ncreation_date: 99999999999999\n"), Code::InvalidArgument, "creation_date");
  expect_refused(with(kGood + "properties: [a]\n"), Code::InvalidArgument, "properties");
  expect_refused(with(kGood + "properties: {a: {b: c}}\n"), Code::InvalidArgument, "properties.a");
  expect_refused(with(kGood + "templates: {/x: y}\n"), Code::InvalidArgument, "templates./x");
  expect_refused(with(kGood + "templates: {/x: {template: ../../etc/shadow}}\n"), Code::InvalidArgument,
                 "templates./x");
  expect_refused(with(kGood + "templates: {/x: {template: absent.tpl}}\n"), Code::InvalidArgument, "absent.tpl");
  expect_refused(with(kGood + "templates: {/x: {template: a, create_only: maybe}}\n"), Code::InvalidArgument,
                 "create_only");
  expect_refused(with("a: [unclosed\n"), Code::InvalidArgument, "metadata.yaml");
}

TEST_F(HostileMetadata, Rule7_MayNotHaveControlCharacters) {
  expect_refused(with(kGood + "properties: {os: \"a\\nb\"}\n"), Code::InvalidArgument, "control character");
  expect_refused(with(kGood + "properties: {\"o\\es\": b}\n"), Code::InvalidArgument, "control character");
  expect_refused(with(kGood + "properties: {os: \"a\\0b\"}\n"), Code::InvalidArgument, "control character");
}

TEST_F(AHostileArchive, Rule7_ShowsNoControlCharacterOfAMemberInTheError) {
  const auto staged = stage(start().file("/a\x1b[31mb\nc", "x").bytes());
  ASSERT_FALSE(staged);
  EXPECT_FALSE(has_control_characters(staged.error().message)) << staged.error().message;
  EXPECT_THAT(staged.error().message, ::testing::HasSubstr("\\x1b[31mb\\x0ac"));
}

}  // namespace
}  // namespace berth
