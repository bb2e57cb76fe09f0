#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "daemon/adapters/image/file_image_store.hpp"
#include "tests/unit/image/tar_builder.hpp"
#include "tests/unit/store/temporary_folder.hpp"

namespace berth::testing_support {

/// A real image store in a folder of its own, with a canary beside it that no archive may touch.
class FileImageStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::ofstream(home_.path() + "/canary") << "untouched";
    open({});
  }
  void TearDown() override {
    EXPECT_EQ(read(home_.path() + "/canary"), "untouched");
    EXPECT_TRUE(std::filesystem::is_empty(store_path() + "/staging")) << "an import left something behind";
  }

  void open(adapters::ImageLimits limits) {
    auto store = adapters::FileImageStore::open({store_path(), BERTH_HELPER, limits});
    ASSERT_TRUE(store) << store.error().message;
    store_ = *std::move(store);
  }
  std::string store_path() const { return home_.path() + "/images"; }

  Result<ports::StagedImage> stage(const std::string& bytes) {
    return store_->stage({.file = file_of(bytes), .rootfs = {}, .expected = {}}, {}, {});
  }
  /// Stages and commits; the path of the tree.
  std::string import(const std::string& bytes) {
    const auto staged = stage(bytes);
    EXPECT_TRUE(staged) << staged.error().message;
    if (!staged) return {};
    EXPECT_TRUE(store_->commit(*staged));
    staged_ = std::make_unique<ports::StagedImage>(*staged);
    return store_->tree(staged->fingerprint).value_or("");
  }
  /// Expects that the archive is refused for the reason given, and that the store is as empty as it was.
  void expect_refused(const std::string& bytes, Code code, const std::string& text) {
    const auto staged = stage(bytes);
    ASSERT_FALSE(staged) << "was accepted";
    EXPECT_EQ(staged.error().code, code) << staged.error().message;
    EXPECT_THAT(staged.error().message, ::testing::HasSubstr(text));
    EXPECT_TRUE(std::filesystem::is_empty(store_path() + "/staging"));
    EXPECT_TRUE(std::filesystem::is_empty(store_path() + "/trash"));
  }

  static std::string read(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static struct stat look(const std::string& path) {
    struct stat info {};
    EXPECT_EQ(lstat(path.c_str(), &info), 0) << path;
    return info;
  }

  TemporaryFolder home_;
  std::unique_ptr<adapters::FileImageStore> store_;
  std::unique_ptr<ports::StagedImage> staged_;
};

}  // namespace berth::testing_support
