#include <fcntl.h>
#include <spawn.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>
#include <sys/xattr.h>

#include <array>

#include "tests/unit/image/image_store_fixture.hpp"

namespace berth {
namespace {

namespace fs = std::filesystem;
using testing_support::file_of;
using testing_support::TarBuilder;

class ASquashfsImage : public testing_support::FileImageStoreTest {
 protected:
  void SetUp() override {
    FileImageStoreTest::SetUp();
    fs::create_directories(tree_ + "/etc");
    std::ofstream(tree_ + "/etc/hostname") << "guest\n";
  }
  /// The bytes of a squashfs of tree_.
  std::string squashed() {
    const std::string out = home_.path() + "/out.squashfs";
    std::array<const char*, 8> argv{"mksquashfs",   tree_.c_str(), out.c_str(), "-noappend",
                                    "-no-progress", "-quiet",      nullptr};
    pid_t pid = -1;
    EXPECT_EQ(posix_spawnp(&pid, "mksquashfs", nullptr, nullptr, const_cast<char**>(argv.data()), environ), 0);
    int status = 0;
    waitpid(pid, &status, 0);
    EXPECT_EQ(status, 0);
    const std::string bytes = read(out);
    fs::remove(out);
    return bytes;
  }
  Result<ports::StagedImage> stage_split(const std::string& rootfs) {
    return store_->stage(
        {.file = file_of(TarBuilder().good_metadata().bytes()), .rootfs = file_of(rootfs), .expected = {}}, {}, {});
  }
  std::string import_split(const std::string& rootfs) {
    const auto staged = stage_split(rootfs);
    EXPECT_TRUE(staged) << staged.error().message;
    if (!staged) return {};
    staged_ = std::make_unique<ports::StagedImage>(*staged);
    EXPECT_TRUE(store_->commit(*staged));
    return store_->tree(staged->fingerprint).value_or("");
  }
  void expect_split_refused(const std::string& rootfs, Code code, const std::string& text) {
    const auto staged = stage_split(rootfs);
    ASSERT_FALSE(staged) << "was accepted";
    EXPECT_EQ(staged.error().code, code) << staged.error().message;
    EXPECT_THAT(staged.error().message, ::testing::HasSubstr(text));
    EXPECT_TRUE(fs::is_empty(store_path() + "/staging"));
  }

  const std::string tree_ = home_.path() + "/source";
};

TEST_F(ASquashfsImage, KeepsOwnersModesLinksAndFileCapabilities) {
  std::ofstream(tree_ + "/etc/shadow") << "secret";
  ASSERT_EQ(chown((tree_ + "/etc/shadow").c_str(), 0, 42), 0);
  ASSERT_EQ(chmod((tree_ + "/etc/shadow").c_str(), 04640), 0);
  fs::create_hard_link(tree_ + "/etc/shadow", tree_ + "/etc/gshadow");
  fs::create_symlink("/proc/mounts", tree_ + "/etc/mtab");
  std::string capability(20, '\0');
  capability[0] = 1, capability[3] = 2, capability[5] = 0x20;
  std::ofstream(tree_ + "/ping") << "program";
  ASSERT_EQ(setxattr((tree_ + "/ping").c_str(), "security.capability", capability.data(), capability.size(), 0), 0);
  const std::string tree = import_split(squashed());

  EXPECT_TRUE(staged_->split);
  EXPECT_EQ(read(tree + "/etc/hostname"), "guest\n");
  EXPECT_EQ(look(tree + "/etc/shadow").st_gid, 42U);
  EXPECT_EQ(look(tree + "/etc/shadow").st_mode & 07777, 04640U);
  EXPECT_EQ(look(tree + "/etc/shadow").st_nlink, 2U);
  EXPECT_EQ(fs::read_symlink(tree + "/etc/mtab"), "/proc/mounts");
  std::array<char, 64> kept{};
  EXPECT_GE(getxattr((tree + "/ping").c_str(), "security.capability", kept.data(), kept.size()), 20);
}

TEST_F(ASquashfsImage, PassesOverDeviceNodesBelowDevAndMarksWhiteouts) {
  fs::create_directories(tree_ + "/dev");
  ASSERT_EQ(mknod((tree_ + "/dev/null").c_str(), S_IFCHR | 0666, makedev(1, 3)), 0);
  const std::string tree = import_split(squashed());
  EXPECT_FALSE(fs::exists(tree + "/dev/null"));
  EXPECT_FALSE(staged_->needs_plain_root);

  ASSERT_EQ(mknod((tree_ + "/etc/gone").c_str(), S_IFCHR, 0), 0);
  import_split(squashed());
  EXPECT_TRUE(staged_->needs_plain_root);
}

TEST_F(ASquashfsImage, MarksOverlayAttributesAndLeavesTheHostsOut) {
  fs::create_directories(tree_ + "/opaque");
  ASSERT_EQ(setxattr((tree_ + "/opaque").c_str(), "trusted.overlay.opaque", "y", 1, 0), 0);
  const std::string tree = import_split(squashed());
  EXPECT_TRUE(staged_->needs_plain_root);
  char value = 0;
  EXPECT_LT(getxattr((tree + "/opaque").c_str(), "trusted.overlay.opaque", &value, 1), 0);
}

TEST_F(ASquashfsImage, KeepsHoles) {
  fs::resize_file(tree_ + "/etc/hostname", 64ULL << 20);
  const auto disk = look(import_split(squashed()) + "/etc/hostname");
  EXPECT_EQ(disk.st_size, 64L << 20);
  EXPECT_LT(disk.st_blocks * 512, 1 << 20);
}

TEST_F(ASquashfsImage, Rule3_MayNotHaveDeviceNodesElsewhere) {
  ASSERT_EQ(mknod((tree_ + "/etc/disk").c_str(), S_IFBLK | 0660, makedev(8, 0)), 0);
  expect_split_refused(squashed(), Code::InvalidArgument, "/etc/disk");
}

TEST_F(ASquashfsImage, Rule3_MayNotBeTruncatedOrDamaged) {
  std::ofstream(tree_ + "/large") << std::string(1 << 20, 'x') << read(BERTH_HELPER).substr(0, 1 << 20);
  const std::string good = squashed();
  expect_split_refused(good.substr(0, good.size() / 2), Code::InvalidArgument, "squashfs");
  expect_split_refused(good.substr(0, 6), Code::InvalidArgument, "squashfs");
  std::string damaged = good;
  for (std::size_t i = 96; i < damaged.size(); i += 7) damaged[i] = static_cast<char>(i);
  expect_split_refused(damaged, Code::InvalidArgument, "squashfs");
}

TEST_F(ASquashfsImage, Rule20_MayNotHaveTooManyFilesOrTooMuchData) {
  open({.max_members = 20});
  for (int i = 0; i < 30; ++i) std::ofstream(tree_ + "/f" + std::to_string(i)) << i;
  expect_split_refused(squashed(), Code::LimitsExceeded, "too many");
  open({.max_bytes = 1 << 20});
  std::ofstream(tree_ + "/bomb") << std::string(4 << 20, 'x');
  expect_split_refused(squashed(), Code::LimitsExceeded, "more data");
}

TEST_F(ASquashfsImage, Rule1_KeepsARootFileSystemOutOfTheMetadataFile) {
  const std::string metadata = TarBuilder().good_metadata().folder("rootfs").file("rootfs/x", "y").bytes();
  const auto staged = store_->stage({.file = file_of(metadata), .rootfs = file_of(squashed()), .expected = {}}, {}, {});
  ASSERT_FALSE(staged);
  EXPECT_THAT(staged.error().message, ::testing::HasSubstr("`rootfs`"));
}

}  // namespace
}  // namespace berth
