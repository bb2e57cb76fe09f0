#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <memory>
#include <string>

#include "daemon/ports/backup_store.hpp"

namespace berth::testing_support {

/// One backup store under the contract's tests.
class BackupStoreSubject {
 public:
  virtual ~BackupStoreSubject() = default;
  virtual ports::BackupStore& store() = 0;
};

using MakeBackupStoreSubject = std::function<std::unique_ptr<BackupStoreSubject>()>;

/// What every backup store promises (ports/backup_store.hpp).
class ABackupStore : public ::testing::TestWithParam<MakeBackupStoreSubject> {
 protected:
  void SetUp() override { subject_ = GetParam()(); }
  ports::BackupStore& store() { return subject_->store(); }
  static BackupName name(const std::string& text) { return *BackupName::parse(text); }
  Result<void> keep(const std::string& called, const std::string& content, int second = 1) {
    auto file = store().begin();
    EXPECT_TRUE(file) << file.error().message;
    EXPECT_EQ(write(file->get(), content.data(), content.size()), static_cast<ssize_t>(content.size()));
    return store().commit(instance_,
                          {.name = name(called),
                           .created_at = Timestamp(std::chrono::seconds(second)),
                           .expires_at = Timestamp(std::chrono::seconds(1000 + second)),
                           .instance_only = second % 2 == 0},
                          *std::move(file));
  }
  std::string content(const std::string& called) {
    const auto file = store().open(instance_, name(called));
    if (!file) return "absent";
    std::array<char, 256> text{};
    const ssize_t size = read(file->get(), text.data(), text.size());
    return {text.data(), static_cast<std::size_t>(size)};
  }
  std::vector<std::string> names() {
    const auto all = store().list(instance_);
    EXPECT_TRUE(all) << all.error().message;
    std::vector<std::string> out;
    for (const auto& one : *all) out.push_back(one.name.str());
    return out;
  }

  std::unique_ptr<BackupStoreSubject> subject_;
  const Uuid instance_ = new_uuid();
};

TEST_P(ABackupStore, KeepsBackupsAndTellsOfThemTheOldestFirst) {
  EXPECT_THAT(names(), ::testing::IsEmpty());
  ASSERT_TRUE(keep("late", "two", 2));
  ASSERT_TRUE(keep("early", "one", 1));
  EXPECT_THAT(names(), ::testing::ElementsAre("early", "late"));
  EXPECT_EQ(content("late"), "two");
  const auto all = *store().list(instance_);
  EXPECT_EQ(all.back().expires_at, Timestamp(std::chrono::seconds(1002)));
  EXPECT_TRUE(all.back().instance_only);
  EXPECT_FALSE(all.front().instance_only);
  EXPECT_THAT(*store().instances(), ::testing::ElementsAre(instance_));
}

TEST_P(ABackupStore, HasOneBackupOfAName) {
  ASSERT_TRUE(keep("b", "one"));
  const auto again = keep("b", "two", 2);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::AlreadyExists);
  EXPECT_EQ(content("b"), "one");
}

TEST_P(ABackupStore, RenamesWithoutTouchingTheContent) {
  ASSERT_TRUE(keep("a", "one"));
  ASSERT_TRUE(keep("b", "two", 2));
  ASSERT_TRUE(store().rename(instance_, name("a"), name("c")));
  EXPECT_THAT(names(), ::testing::ElementsAre("c", "b"));
  EXPECT_EQ(content("c"), "one");
  EXPECT_EQ(store().rename(instance_, name("c"), name("b")).error().code, Code::AlreadyExists);
  EXPECT_EQ(store().rename(instance_, name("a"), name("d")).error().code, Code::NotFound);
}

TEST_P(ABackupStore, LeavesWhatIsOpenReadableWhenItIsDeleted) {
  ASSERT_TRUE(keep("a", "one"));
  const auto file = store().open(instance_, name("a"));
  ASSERT_TRUE(file);
  ASSERT_TRUE(store().remove(instance_, name("a")));
  std::array<char, 8> text{};
  EXPECT_EQ(read(file->get(), text.data(), text.size()), 3);
  EXPECT_EQ(store().remove(instance_, name("a")).error().code, Code::NotFound);
  EXPECT_THAT(*store().instances(), ::testing::IsEmpty());
}

TEST_P(ABackupStore, ForgetsAllOfAnInstanceAtOnce) {
  ASSERT_TRUE(keep("a", "one"));
  ASSERT_TRUE(keep("b", "two", 2));
  ASSERT_TRUE(store().remove_all(instance_));
  ASSERT_TRUE(store().remove_all(instance_)) << "none is success";
  EXPECT_THAT(names(), ::testing::IsEmpty());
}

TEST_P(ABackupStore, ForgetsAFileThatWasNotKept) {
  {
    const auto file = store().begin();
    ASSERT_TRUE(file);
  }
  EXPECT_THAT(names(), ::testing::IsEmpty());
  const auto scratch = store().make_scratch();
  ASSERT_TRUE(scratch) << scratch.error().message;
  EXPECT_GE(scratch->folder.get(), 0);
}

}  // namespace berth::testing_support
