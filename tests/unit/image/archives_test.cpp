#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>

#include "daemon/adapters/image/helper_archives.hpp"
#include "daemon/domain/backup_document.hpp"
#include "tests/unit/image/image_store_fixture.hpp"

namespace berth {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing_support::TarBuilder;

/// A tree beside the image store, packed by the real helper, and backups unpacked by it.
class GuestArchives : public testing_support::FileImageStoreTest {
 protected:
  std::string folder(const std::string& name) {
    const std::string path = home_.path() + "/" + name;
    std::filesystem::create_directories(path);
    return path;
  }
  std::string pack(const RootSpec& root, const std::string& compression = "gzip") {
    const std::string path = home_.path() + "/packed";
    const UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    const std::string metadata = R"({"architecture": "x86_64", "creation_date": 1700000000, "properties": {"os": "Test"}})";
    auto packing = archives_.pack({.compression = *parse_compression(compression),
                                   .files = {{"metadata.yaml", metadata}},
                                   .trees = {{"rootfs", root}}},
                                  file.get());
    EXPECT_TRUE(packing) << packing.error().message;
    const auto written = packing->wait({}, {});
    EXPECT_TRUE(written) << written.error().message;
    std::string bytes = read(path);
    EXPECT_EQ(written.has_value() ? *written : 0, bytes.size());
    return bytes;
  }
  /// The refusal of a backup, or of what it holds.
  Error refusal(const std::string& bytes, ports::BackupPlaces::SnapshotPlace snapshot = {}) {
    const auto file = testing_support::file_of(bytes);
    const auto text = archives_.read_backup(file.get());
    if (!text) return text.error();
    const auto description = parse_backup(*text);
    if (!description) return description.error();
    const auto unpacked = unpack(bytes, {}, std::move(snapshot));
    return unpacked ? Error{Code::Internal, "was accepted"} : unpacked.error();
  }
  Result<ports::UnpackedBackup> unpack(const std::string& bytes, IdMap shift = {},
                                       ports::BackupPlaces::SnapshotPlace snapshot = {}) {
    const auto file = testing_support::file_of(bytes);
    const UniqueFd root(::open(folder("into").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const UniqueFd templates(::open(folder("templates").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const UniqueFd then(::open(folder("then").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ports::BackupPlaces places{.root = root.get(), .shift = std::move(shift), .templates = templates.get(), .snapshots = {}};
    snapshot.root = then.get();
    if (!snapshot.name.empty()) places.snapshots.push_back(std::move(snapshot));
    return archives_.unpack_backup(file.get(), places, {}, {});
  }
  static TarBuilder backup(const std::string& index = "name: c1\npool: default\nconfig:\n  container: {architecture: x86_64}\n") {
    TarBuilder tar;
    tar.file("backup/index.yaml", index);
    return tar;
  }

  adapters::HelperArchives archives_{BERTH_HELPER, {}};
};

TEST_F(GuestArchives, HoldWhatAPlainTreeHolds) {
  const std::string tree = folder("tree/etc") + "/..";
  std::ofstream(tree + "/etc/hostname") << "web\n";
  std::filesystem::create_hard_link(tree + "/etc/hostname", tree + "/etc/again");
  std::filesystem::create_symlink("/etc/hostname", tree + "/link");
  ASSERT_EQ(mkfifo((tree + "/fifo").c_str(), 0600), 0);
  ASSERT_EQ(chown((tree + "/etc/hostname").c_str(), 1000, 1001), 0);
  ASSERT_EQ(chmod((tree + "/etc/hostname").c_str(), 04750), 0);
  ASSERT_EQ(setxattr((tree + "/etc/hostname").c_str(), "user.note", "hi", 2, 0), 0);
  std::ofstream(tree + "/sparse") << "begin";
  ASSERT_EQ(truncate((tree + "/sparse").c_str(), 512 << 20), 0);
  const std::string long_name(200, 'n');
  std::ofstream(tree + "/" + long_name) << "long";

  const auto bytes = pack({.kind = RootSpec::Kind::Plain, .plain = home_.path() + "/tree"});
  EXPECT_LT(bytes.size(), 1U << 20) << "the hole was written out";
  const auto back = import(bytes);
  ASSERT_FALSE(back.empty());
  EXPECT_EQ(read(back + "/etc/hostname"), "web\n");
  const auto info = look(back + "/etc/hostname");
  EXPECT_EQ(info.st_uid, 1000U);
  EXPECT_EQ(info.st_gid, 1001U);
  EXPECT_EQ(info.st_mode & 07777U, 04750U);
  EXPECT_EQ(info.st_nlink, 2U);
  EXPECT_EQ(info.st_ino, look(back + "/etc/again").st_ino);
  EXPECT_EQ(std::filesystem::read_symlink(back + "/link"), "/etc/hostname");
  EXPECT_TRUE(S_ISFIFO(look(back + "/fifo").st_mode));
  EXPECT_EQ(look(back + "/sparse").st_size, 512 << 20);
  EXPECT_LT(look(back + "/sparse").st_blocks, 4096);
  EXPECT_EQ(read(back + "/" + long_name), "long");
  std::array<char, 8> note{};
  EXPECT_EQ(getxattr((back + "/etc/hostname").c_str(), "user.note", note.data(), note.size()), 2);
}

TEST_F(GuestArchives, ShowAnOverlayAsOneTreeWithoutWhiteouts) {
  const std::string image = folder("image"), layer = folder("layer");
  folder("layer/work");
  std::ofstream(image + "/kept") << "image";
  std::ofstream(image + "/gone") << "image";
  std::ofstream(image + "/changed") << "image";
  std::ofstream(folder("layer/upper") + "/changed") << "guest";
  ASSERT_EQ(mknod((layer + "/upper/gone").c_str(), S_IFCHR | 0600, 0), 0);
  const auto bytes = pack({.kind = RootSpec::Kind::Overlay, .plain = {}, .lower = image, .layer = layer}, "none");
  EXPECT_THAT(bytes, Not(HasSubstr("rootfs/gone")));
  const auto back = import(bytes);
  EXPECT_EQ(read(back + "/kept"), "image");
  EXPECT_EQ(read(back + "/changed"), "guest");
  EXPECT_FALSE(std::filesystem::exists(std::filesystem::symlink_status(back + "/gone")));
  EXPECT_FALSE(staged_->needs_plain_root);
}

TEST_F(GuestArchives, KeepFileCapabilitiesAsTheGuestSeesThem) {
  const std::string tree = folder("tree");
  std::ofstream(tree + "/ping") << "ping";
  const std::string capability("\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 20);
  ASSERT_EQ(setxattr((tree + "/ping").c_str(), "security.capability", capability.data(), capability.size(), 0), 0);
  const auto back = import(pack({.kind = RootSpec::Kind::Plain, .plain = tree}));
  std::string value(64, '\0');
  value.resize(static_cast<std::size_t>(
      std::max<ssize_t>(getxattr((back + "/ping").c_str(), "security.capability", value.data(), value.size()), 0)));
  EXPECT_EQ(value, capability);
}

TEST_F(GuestArchives, AreCompressedAsIsAskedFor) {
  const std::string tree = folder("tree");
  std::ofstream(tree + "/file") << "content";
  const RootSpec root{.kind = RootSpec::Kind::Plain, .plain = tree};
  for (const auto* const how : {"gzip", "bzip2", "xz", "zstd -3", "lz4", "none", "pigz"})
    EXPECT_FALSE(import(pack(root, how)).empty()) << how;
  EXPECT_TRUE(pack(root, "gzip").starts_with("\x1f\x8b"));
}

TEST_F(GuestArchives, BreakOffWhenNobodyReads) {
  const std::string tree = folder("tree");
  std::ofstream(tree + "/large") << std::string(4 << 20, 'x');
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  UniqueFd reading(ends[0]), writing(ends[1]);
  auto packing = archives_.pack(
      {.compression = *parse_compression("none"), .files = {}, .trees = {{"rootfs", {.plain = tree}}}}, writing.get());
  ASSERT_TRUE(packing);
  writing.reset();
  reading.reset();
  const auto written = packing->wait({}, {});
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Code::Unavailable);
}

TEST_F(GuestArchives, ABackupIsUnpackedWithItsSnapshots) {
  auto tar = backup();
  tar.folder("backup/snapshots/s0").folder("backup/snapshots/s0/rootfs").file("backup/snapshots/s0/rootfs/f", "then");
  tar.folder("backup/container").file("backup/container/backup.yaml", "container: {}").file(
      "backup/container/metadata.yaml", "architecture: x86_64\ncreation_date: 1700000000\n");
  tar.file("backup/container/templates/hostname.tpl", "{{ x }}").folder("backup/container/rootfs");
  tar.file("backup/container/rootfs/f", "now", {0640, 1000005, 1000006}).hard_link("backup/container/rootfs/g",
                                                                                 "backup/container/rootfs/f");
  const IdMap shift{{{true, 0, 1000000, 65536}, {false, 0, 1000000, 65536}}};
  const auto unpacked = unpack(tar.bytes(), shift, {"s0", -1, {}});
  ASSERT_TRUE(unpacked) << unpacked.error().message;
  ASSERT_TRUE(unpacked->metadata);
  EXPECT_EQ(unpacked->metadata->architecture, "x86_64");
  EXPECT_EQ(read(home_.path() + "/into/g"), "now");
  EXPECT_EQ(read(home_.path() + "/then/f"), "then");
  EXPECT_EQ(read(home_.path() + "/templates/hostname.tpl"), "{{ x }}");
  EXPECT_EQ(look(home_.path() + "/into/f").st_uid, 5U) << "LXD's shifted ids go back";
  EXPECT_EQ(look(home_.path() + "/into/f").st_gid, 6U);
  EXPECT_EQ(look(home_.path() + "/then/f").st_uid, 0U);
}

TEST_F(GuestArchives, CapabilitiesOfABackupLoseTheRootTheyHadOnItsHost) {
  const auto with_root = [](unsigned root) {
    std::string value("\x01\x00\x00\x03\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 20);
    for (int shift = 0; shift < 32; shift += 8) value += static_cast<char>(root >> shift & 0xff);
    return value;
  };
  auto tar = backup();
  tar.folder("backup/container/rootfs");
  tar.pax("SCHILY.xattr.security.capability", with_root(0)).file("backup/container/rootfs/lxd", "x", {0755, 1000000, 1000000});
  tar.pax("SCHILY.xattr.security.capability", with_root(1000000)).file("backup/container/rootfs/disk", "x", {0755, 1000000, 1000000});
  tar.pax("SCHILY.xattr.security.capability", with_root(77)).file("backup/container/rootfs/other", "x", {0755, 1000000, 1000000});
  ASSERT_TRUE(unpack(tar.bytes(), IdMap{{{true, 0, 1000000, 65536}, {false, 0, 1000000, 65536}}}));
  const auto revision = [&](const std::string& name) {
    std::array<char, 64> value{};
    const auto size = getxattr((home_.path() + "/into/" + name).c_str(), "security.capability", value.data(), value.size());
    return size < 0 ? 0 : value[3];
  };
  EXPECT_EQ(revision("lxd"), 2);
  EXPECT_EQ(revision("disk"), 2);
  EXPECT_EQ(revision("other"), 0) << "it is nobody's here";
}

TEST_F(GuestArchives, Rule3_ABackupMayNotReachOutOfItsTrees) {
  const auto with = [](auto add) {
    auto tar = backup();
    tar.folder("backup/container/rootfs");
    add(tar);
    return tar.bytes();
  };
  EXPECT_THAT(refusal(with([](TarBuilder& t) { t.file("backup/container/rootfs/../../../canary", "x"); })).message,
              HasSubstr(".."));
  EXPECT_THAT(refusal(with([&](TarBuilder& t) { t.file(home_.path() + "/canary", "x"); })).message, HasSubstr("canary"));
  EXPECT_THAT(refusal(with([&](TarBuilder& t) {
                t.symlink("backup/container/rootfs/d", home_.path()).file("backup/container/rootfs/d/canary", "x");
              })).message,
              HasSubstr("canary"));
  EXPECT_THAT(refusal(with([](TarBuilder& t) { t.hard_link("backup/container/rootfs/h", "backup/index.yaml"); })).message,
              HasSubstr("hard link"));
  EXPECT_THAT(refusal(with([](TarBuilder& t) { t.symlink("backup/container/templates/t", "/etc/shadow"); })).message,
              HasSubstr("templates/t"));
}

TEST_F(GuestArchives, Rule3_ASnapshotMayNotLinkIntoTheContainer) {
  auto tar = backup();
  tar.folder("backup/container/rootfs").file("backup/container/rootfs/f", "x").folder("backup/snapshots/s0/rootfs");
  tar.hard_link("backup/snapshots/s0/rootfs/f", "backup/container/rootfs/f");
  EXPECT_THAT(refusal(tar.bytes(), {"s0", -1, {}}).message, HasSubstr("hard link"));
}

TEST_F(GuestArchives, Rule3_ABackupThatIsNoneIsRefusedWithAReason) {
  EXPECT_THAT(refusal("no tar at all").message, HasSubstr("archive"));
  EXPECT_THAT(refusal(TarBuilder().file("other", "x").bytes()).message, HasSubstr("index.yaml"));
  EXPECT_THAT(refusal(backup("name: [\n").bytes()).message, HasSubstr("index.yaml"));
  EXPECT_THAT(refusal(backup("just text").bytes()).message, HasSubstr("must be a map"));
  EXPECT_THAT(refusal(TarBuilder().symlink("backup/index.yaml", "/etc/shadow").bytes()).message, HasSubstr("plain file"));
  EXPECT_THAT(refusal(backup("name: c1\n").bytes()).message, HasSubstr("backup.yaml"));
  EXPECT_THAT(refusal(backup().bytes()).message, HasSubstr("no root file system"));
  const std::string whole = backup().folder("backup/container/rootfs").file("backup/container/rootfs/f", std::string(9000, 'x')).bytes();
  EXPECT_THAT(refusal(whole.substr(0, whole.size() - 6000)).message, HasSubstr("truncated"));
}

TEST_F(GuestArchives, Rule3_AliasesOfYamlCannotBlowUpABackup) {
  std::string yaml = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    yaml += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int k = 1; k < 10; ++k) yaml += ", " + before;
    yaml += "]\n";
  }
  EXPECT_EQ(refusal(backup(yaml).bytes()).code, Code::LimitsExceeded);
}

}  // namespace
}  // namespace berth
