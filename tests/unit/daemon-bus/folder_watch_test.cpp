#include "daemon/bus/folder_watch.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <utility>

#include "tests/unit/store/temporary_folder.hpp"

namespace berth::bus {
namespace {

class AFolderWatch : public testing::Test {
 protected:
  void SetUp() override {
    auto watch = FolderWatch::on(*loop_, folder_.path(), {"one", "two"}, [this] { ++told_; });
    ASSERT_TRUE(watch) << watch.error().message;
    watch_.emplace(*std::move(watch));
  }
  std::string path(const std::string& name) const { return folder_.path() + "/" + name; }
  /// Whether it is told of what has just been done.
  bool hears() {
    const int before = std::exchange(told_, 0);
    EXPECT_EQ(before, 0);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (told_ == 0 && std::chrono::steady_clock::now() < deadline) loop_->run_once(std::chrono::milliseconds(10));
    return std::exchange(told_, 0) > 0;
  }

  testing_support::TemporaryFolder folder_;
  std::unique_ptr<EventLoop> loop_ = *EventLoop::create();
  int told_ = 0;
  std::optional<FolderWatch> watch_;
};

TEST_F(AFolderWatch, HearsOfItsFilesHoweverTheyChangeAndOfNoOthers) {
  std::ofstream(path("other")) << "x";
  loop_->run_once(std::chrono::milliseconds(50));
  EXPECT_EQ(told_, 0);
  std::ofstream(path("one")) << "x";
  EXPECT_TRUE(hears());
  std::filesystem::rename(path("other"), path("two"));
  EXPECT_TRUE(hears());
  std::filesystem::remove(path("one"));
  EXPECT_TRUE(hears());
  std::filesystem::rename(path("two"), path("other"));
  EXPECT_TRUE(hears());
}

TEST(AFolderThatIsNotThere, CannotBeWatched) {
  const auto loop = *EventLoop::create();
  EXPECT_FALSE(FolderWatch::on(*loop, "/nonexistent/folder", {"x"}, [] {}));
}

}  // namespace
}  // namespace berth::bus
