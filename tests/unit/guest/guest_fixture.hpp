#pragma once

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "daemon/adapters/guest/helper_guest_files.hpp"
#include "tests/unit/store/temporary_folder.hpp"

namespace berth::testing_support {

/// A stopped guest's root on disk, plain and as a layer over an image, with a canary beside it that nothing in the
/// guest may reach. Needs root, as the daemon does.
class GuestFilesTest : public ::testing::TestWithParam<RootSpec::Kind> {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    for (const char* const folder : {"rootfs/etc", "layer/upper", "layer/work", "rootfs/tmp"})
      std::filesystem::create_directories(home_.path() + "/" + folder);
    write(home_.path() + "/canary", "untouched");
    write(lower("etc/issue"), "old text that is long\n");
  }
  void TearDown() override {
    if (geteuid() == 0) {
      EXPECT_EQ(read(home_.path() + "/canary"), "untouched");
    }
  }

  bool overlay() const { return GetParam() == RootSpec::Kind::Overlay; }
  RootSpec root() const {
    if (!overlay()) return {.kind = RootSpec::Kind::Plain, .plain = home_.path() + "/rootfs"};
    return {.kind = RootSpec::Kind::Overlay, .lower = home_.path() + "/rootfs", .layer = home_.path() + "/layer"};
  }
  /// Where the image has a file.
  std::string lower(const std::string& path) const { return home_.path() + "/rootfs/" + path; }
  /// Where a file that was changed in the guest is on disk.
  std::string changed(const std::string& path) const {
    return home_.path() + (overlay() ? "/layer/upper/" : "/rootfs/") + path;
  }

  static void write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }
  static std::string read(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static struct stat look(const std::string& path) {
    struct stat info {};
    EXPECT_EQ(lstat(path.c_str(), &info), 0) << path;
    return info;
  }
  static UniqueFd memory(const std::string& text) {
    UniqueFd fd(memfd_create("text", MFD_CLOEXEC));
    EXPECT_EQ(::write(fd.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    EXPECT_EQ(lseek(fd.get(), 0, SEEK_SET), 0);
    return fd;
  }

  TemporaryFolder home_;
  adapters::HelperGuestFiles files_{BERTH_HELPER};
};

}  // namespace berth::testing_support
