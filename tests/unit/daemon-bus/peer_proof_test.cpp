// The parts of the proof that need no bus; the forgeries stand in tests/bus.
#include "daemon/bus/peer_proof.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "base/unique_fd.hpp"
#include "tests/unit/store/temporary_folder.hpp"

namespace berth::bus {
namespace {

class ReplacementOfTheListener : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    std::filesystem::create_directories(path_.substr(0, path_.rfind('/')));
  }
  testing_support::TemporaryFolder folder_;
  const std::string path_ = folder_.path() + "/run/berth/unix.socket";
};

TEST_F(ReplacementOfTheListener, ByRootAloneIsAccepted) { EXPECT_TRUE(check_only_root_replaces(path_)); }

TEST_F(ReplacementOfTheListener, ThroughAFolderThatOthersWriteIsRefused) {
  for (const auto* part : {"/run", "/run/berth"}) {
    ASSERT_EQ(::chmod((folder_.path() + part).c_str(), 0775), 0);
    EXPECT_FALSE(check_only_root_replaces(path_)) << part;
    ASSERT_EQ(::chmod((folder_.path() + part).c_str(), 01777), 0);
    EXPECT_TRUE(check_only_root_replaces(path_)) << "sticky folders keep what is root's";
    ASSERT_EQ(::chmod((folder_.path() + part).c_str(), 0755), 0);
  }
}

TEST_F(ReplacementOfTheListener, ByTheOwnerOfAFolderIsRefused) {
  ASSERT_EQ(::chown((folder_.path() + "/run").c_str(), 65534, 0), 0);
  EXPECT_FALSE(check_only_root_replaces(path_));
}

TEST_F(ReplacementOfTheListener, BehindASymbolicLinkOrOfNoAbsolutePathIsRefused) {
  std::filesystem::create_directory_symlink(folder_.path() + "/run", folder_.path() + "/link");
  EXPECT_FALSE(check_only_root_replaces(folder_.path() + "/link/berth/unix.socket"));
  EXPECT_FALSE(check_only_root_replaces("run/unix.socket"));
  EXPECT_FALSE(check_only_root_replaces(""));
  EXPECT_FALSE(check_only_root_replaces(folder_.path() + "/none/unix.socket"));
}

TEST_F(ReplacementOfTheListener, IsNotAskedOfWhatIsNoSocket) {
  EXPECT_FALSE(prove_peer(-1, path_));
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const UniqueFd reader(ends[0]), writer(ends[1]);
  EXPECT_FALSE(prove_peer(reader.get(), path_));
}

}  // namespace
}  // namespace berth::bus
