#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/tree.hpp"
#include "daemon/adapters/storage/dir_driver.hpp"
#include "daemon/adapters/storage/overlay_driver.hpp"
#include "tests/unit/store/temporary_folder.hpp"

namespace berth {
namespace {

namespace fs = std::filesystem;

struct stat look(const std::string& path) {
  struct stat info {};
  EXPECT_EQ(lstat(path.c_str(), &info), 0) << path;
  return info;
}

std::string read(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A tree with one of each thing that a copy has to keep.
class AFolderDriver : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(tree_ + "/etc");
    std::ofstream(tree_ + "/etc/passwd") << "root\n";
    std::ofstream(tree_ + "/etc/gone") << "in the image\n";
    ASSERT_EQ(chown((tree_ + "/etc/passwd").c_str(), 7, 42), 0);
    ASSERT_EQ(chmod((tree_ + "/etc/passwd").c_str(), 04751), 0);
    fs::create_hard_link(tree_ + "/etc/passwd", tree_ + "/etc/passwd-");
    fs::create_symlink("/etc/shadow", tree_ + "/etc/link");
    ASSERT_EQ(mkfifo((tree_ + "/pipe").c_str(), 0600), 0);
    ASSERT_EQ(setxattr((tree_ + "/etc/gone").c_str(), "user.note", "x", 1, 0), 0);
    const UniqueFd sparse(open((tree_ + "/sparse").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    ASSERT_EQ(pwrite(sparse.get(), "end", 3, 1L << 30), 3);
    ASSERT_EQ(chmod(tree_.c_str(), 0711), 0);
  }
  std::unique_ptr<ports::StorageDriver> open_driver(decltype(&adapters::DirDriver::open) how) {
    auto driver = how(pool_, BERTH_HELPER);
    EXPECT_TRUE(driver) << driver.error().message;
    return *std::move(driver);
  }

  testing_support::TemporaryFolder home_;
  const std::string tree_ = home_.path() + "/image";
  const std::string pool_ = home_.path() + "/pool";
  const Fingerprint image_ = *Fingerprint::parse(std::string(64, 'c'));
  const Uuid instance_ = new_uuid();
};

TEST_F(AFolderDriver, CopiesATreeWithEverythingInIt) {
  const auto driver = open_driver(adapters::DirDriver::open);
  const auto made = driver->create_root(instance_, image_, tree_, false);
  ASSERT_TRUE(made) << made.error().message;
  const std::string root = driver->root(instance_)->plain;
  const auto passwd = look(root + "/etc/passwd");
  EXPECT_EQ(passwd.st_uid, 7U);
  EXPECT_EQ(passwd.st_gid, 42U);
  EXPECT_EQ(passwd.st_mode & 07777, 04751U);
  EXPECT_EQ(passwd.st_mtim.tv_nsec, look(tree_ + "/etc/passwd").st_mtim.tv_nsec);
  EXPECT_EQ(passwd.st_ino, look(root + "/etc/passwd-").st_ino);
  EXPECT_NE(passwd.st_ino, look(tree_ + "/etc/passwd").st_ino) << "the image itself must not be shared";
  EXPECT_EQ(fs::read_symlink(root + "/etc/link"), "/etc/shadow");
  EXPECT_TRUE(S_ISFIFO(look(root + "/pipe").st_mode));
  char note = 0;
  EXPECT_EQ(getxattr((root + "/etc/gone").c_str(), "user.note", &note, 1), 1);
  EXPECT_EQ(look(root + "/sparse").st_size, (1L << 30) + 3);
  EXPECT_LT(look(root + "/sparse").st_blocks * 512, 1 << 20);
  EXPECT_EQ(look(root).st_mode & 07777, 0711U);
}

TEST_F(AFolderDriver, KeepsWhatWasChangedInALayerByASnapshot) {
  const auto driver = open_driver(adapters::OverlayDriver::open);
  ASSERT_TRUE(driver->create_root(instance_, image_, tree_, false));
  const std::string upper = driver->root(instance_)->layer + "/upper";
  std::ofstream(upper + "/changed") << "then";
  ASSERT_EQ(mknod((upper + "/removed").c_str(), S_IFCHR | 0600, 0), 0);  // how a layer says that a file is gone
  fs::create_directory(upper + "/whole");
  ASSERT_EQ(setxattr((upper + "/whole").c_str(), "user.overlay.opaque", "y", 1, 0), 0);
  const Uuid snapshot = new_uuid();
  const auto taken = driver->copy_tree({instance_, {}}, {instance_, snapshot});
  ASSERT_TRUE(taken) << taken.error().message;
  std::ofstream(upper + "/changed") << "now";
  std::ofstream(upper + "/added") << "now";
  ASSERT_TRUE(driver->replace_tree({instance_, snapshot}, {instance_, {}}));
  EXPECT_EQ(read(upper + "/changed"), "then");
  EXPECT_FALSE(fs::exists(upper + "/added"));
  const auto whiteout = look(upper + "/removed");
  EXPECT_TRUE(S_ISCHR(whiteout.st_mode));
  EXPECT_EQ(whiteout.st_rdev, 0U);
  char opaque = 0;
  EXPECT_EQ(getxattr((upper + "/whole").c_str(), "user.overlay.opaque", &opaque, 1), 1);
  EXPECT_TRUE(fs::is_empty(driver->root(instance_)->layer + "/work"));
}

TEST_F(AFolderDriver, StartsALayerEmptyAndWithTheLookOfTheImagesTop) {
  const auto driver = open_driver(adapters::OverlayDriver::open);
  ASSERT_TRUE(driver->create_root(instance_, image_, tree_, false));
  const auto root = *driver->root(instance_);
  EXPECT_TRUE(fs::is_empty(root.layer + "/upper"));
  EXPECT_TRUE(fs::is_empty(root.layer + "/work"));
  EXPECT_EQ(look(root.layer + "/upper").st_mode & 07777, 0711U);
  EXPECT_LT(driver->usage(instance_).value_or(1 << 30), 65536U);
}

TEST_F(AFolderDriver, MergesALayerWithItsImageWhenItBecomesPlain) {
  const auto driver = open_driver(adapters::OverlayDriver::open);
  ASSERT_TRUE(driver->create_root(instance_, image_, tree_, false));
  const std::string upper = driver->root(instance_)->layer + "/upper";
  // What a guest leaves there: a changed file, a new one, a removed one.
  fs::create_directories(upper + "/etc");
  std::ofstream(upper + "/etc/passwd") << "changed\n";
  std::ofstream(upper + "/new") << "new\n";
  ASSERT_EQ(mknod((upper + "/etc/gone").c_str(), S_IFCHR, 0), 0);

  const auto converted = driver->convert_to_plain(instance_);
  ASSERT_TRUE(converted) << converted.error().message;
  const std::string root = driver->root(instance_)->plain;
  EXPECT_EQ(read(root + "/etc/passwd"), "changed\n");
  EXPECT_EQ(read(root + "/new"), "new\n");
  EXPECT_FALSE(fs::exists(root + "/etc/gone"));
  EXPECT_EQ(fs::read_symlink(root + "/etc/link"), "/etc/shadow");
  EXPECT_EQ(read(tree_ + "/etc/passwd"), "root\n");
}

// Rule 2: nothing that a guest left in its tree leads the daemon out of it.
TEST_F(AFolderDriver, Rule2_DoesNotFollowAGuestsLinksWhenItMeasuresRemovesOrMerges) {
  const auto driver = open_driver(adapters::OverlayDriver::open);
  const std::string outside = home_.path() + "/outside";
  fs::create_directories(outside);
  std::ofstream(outside + "/file") << std::string(1 << 20, 'x');
  ASSERT_TRUE(driver->create_root(instance_, image_, tree_, false));
  const std::string upper = driver->root(instance_)->layer + "/upper";
  fs::create_symlink(outside, upper + "/etc");
  fs::create_symlink(outside + "/file", upper + "/file");

  EXPECT_LT(driver->usage(instance_).value_or(1 << 30), 65536U);
  const auto converted = driver->convert_to_plain(instance_);
  ASSERT_TRUE(converted) << converted.error().message;
  EXPECT_TRUE(fs::is_symlink(driver->root(instance_)->plain + "/etc"));
  ASSERT_TRUE(driver->delete_root(instance_));
  ASSERT_TRUE(driver->empty_trash());
  EXPECT_TRUE(fs::is_empty(pool_ + "/trash"));
  EXPECT_TRUE(fs::exists(outside + "/file"));
}

// Rule 17: nobody but root looks into the state folders.
TEST_F(AFolderDriver, Rule17_KeepsItsFoldersClosed) {
  const auto driver = open_driver(adapters::OverlayDriver::open);
  ASSERT_TRUE(driver->create_root(instance_, image_, tree_, false));
  for (const char* const name : {"", "/instances", "/staging", "/trash"})
    EXPECT_EQ(look(pool_ + name).st_mode & 07777, 0700U);
  EXPECT_EQ(look(pool_ + "/instances/" + instance_.str()).st_mode & 07777, 0700U);
}

TEST_F(AFolderDriver, RemovesATreeThatIsDeeperThanDescriptorsLast) {
  const auto driver = open_driver(adapters::DirDriver::open);
  ASSERT_TRUE(driver->create_empty_root(instance_));
  UniqueFd at(open(driver->root(instance_)->plain.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int depth = 0; depth < 1200; ++depth) {
    ASSERT_EQ(mkdirat(at.get(), "d", 0755), 0);
    at.reset(openat(at.get(), "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ASSERT_TRUE(at);
  }
  EXPECT_TRUE(driver->usage(instance_));
  ASSERT_TRUE(driver->delete_root(instance_));
  const auto emptied = driver->empty_trash();
  EXPECT_TRUE(emptied) << emptied.error().message;
  EXPECT_TRUE(fs::is_empty(pool_ + "/trash"));
}

TEST_F(AFolderDriver, PutsWhatACrashLeftInStagingIntoTheTrash) {
  (void)open_driver(adapters::DirDriver::open);
  fs::create_directories(pool_ + "/staging/left/rootfs/etc");
  const auto driver = open_driver(adapters::DirDriver::open);
  EXPECT_TRUE(fs::is_empty(pool_ + "/staging"));
  ASSERT_TRUE(driver->empty_trash());
  EXPECT_TRUE(fs::is_empty(pool_ + "/trash"));
}

TEST_F(AFolderDriver, ProbesAFileSystemForOverlayRootsAndLeavesNothingThere) {
  const auto probe = adapters::probe_overlay(pool_, BERTH_HELPER);
  ASSERT_TRUE(probe) << probe.error().message;
  EXPECT_TRUE(probe->works) << probe->reason;
  EXPECT_TRUE(fs::is_empty(pool_));
}

/// Mounts an overlay of its own over `folder`, in a mount namespace that ends with the process, and probes there.
[[noreturn]] void probe_on_an_overlay(const std::string& home, const std::string& folder) {
  for (const char* const name : {"/l", "/u", "/w"}) fs::create_directories(home + name);
  const std::string options = "lowerdir=" + home + "/l,upperdir=" + home + "/u,workdir=" + home + "/w";
  if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount("overlay", folder.c_str(), "overlay", 0, options.c_str()) != 0)
    std::exit(2);
  const auto probe = adapters::probe_overlay(folder, BERTH_HELPER);
  if (probe) std::fprintf(stderr, "works=%d %s\n", probe->works ? 1 : 0, probe->reason.c_str());
  std::exit(probe && !probe->works && !probe->reason.empty() ? 0 : 1);
}

TEST_F(AFolderDriver, SaysWhyAFileSystemCarriesNoOverlayRoots) {
  fs::create_directories(pool_);
  // Overlay cannot lie on overlay.
  EXPECT_EXIT(probe_on_an_overlay(home_.path(), pool_), ::testing::ExitedWithCode(0), "works=0");
}

}  // namespace
}  // namespace berth
