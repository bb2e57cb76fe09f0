#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>

#include "daemon/ports/storage_driver.hpp"

namespace berth::testing_support {

/// One storage driver under the contract's tests, with the image tree to make roots from.
class StorageSubject {
 public:
  virtual ~StorageSubject() = default;
  virtual ports::StorageDriver& driver() = 0;
  /// Absolute path of a tree that has `etc/hostname`.
  virtual std::string tree() = 0;
  /// The same driver opened anew, as after a restart of the daemon.
  virtual void reopen() = 0;
};

using MakeStorageSubject = std::function<std::unique_ptr<StorageSubject>()>;

/// What every storage driver promises (ports/storage_driver.hpp); real ones and the fake pass the same tests.
class AStorageDriver : public ::testing::TestWithParam<MakeStorageSubject> {
 protected:
  void SetUp() override { subject_ = GetParam()(); }
  ports::StorageDriver& driver() { return subject_->driver(); }
  Result<void> create(const Uuid& instance, bool plain = false) {
    return driver().create_root(instance, image_, subject_->tree(), plain);
  }
  bool has(const Uuid& instance) {
    const auto all = driver().roots();
    return all && std::ranges::find(*all, instance) != all->end();
  }

  std::unique_ptr<StorageSubject> subject_;
  const Fingerprint image_ = *Fingerprint::parse(std::string(64, 'b'));
  const Uuid first_ = new_uuid();
  const Uuid second_ = new_uuid();
};

TEST_P(AStorageDriver, MakesARootOfTheKindItSaysItMakes) {
  ASSERT_TRUE(driver().ensure_image(image_, subject_->tree()));
  ASSERT_TRUE(driver().ensure_image(image_, subject_->tree())) << "must be idempotent";
  const auto made = create(first_);
  ASSERT_TRUE(made) << made.error().message;
  const auto root = driver().root(first_);
  ASSERT_TRUE(root) << root.error().message;
  if (driver().capabilities().layered) {
    EXPECT_EQ(root->kind, ports::RootSpec::Kind::Overlay);
    EXPECT_EQ(root->lower, subject_->tree());
    EXPECT_FALSE(root->layer.empty());
  } else {
    EXPECT_EQ(root->kind, ports::RootSpec::Kind::Plain);
    EXPECT_FALSE(root->plain.empty());
  }
}

TEST_P(AStorageDriver, MakesAPlainRootWhenAskedTo) {
  ASSERT_TRUE(create(first_, true));
  const auto root = driver().root(first_);
  ASSERT_TRUE(root);
  EXPECT_EQ(root->kind, ports::RootSpec::Kind::Plain);
  EXPECT_TRUE(driver().remove_image(image_)) << "a plain root needs its image no more";
}

TEST_P(AStorageDriver, MakesAnEmptyRootThatIsPlain) {
  ASSERT_TRUE(driver().create_empty_root(first_));
  const auto root = driver().root(first_);
  ASSERT_TRUE(root);
  EXPECT_EQ(root->kind, ports::RootSpec::Kind::Plain);
}

TEST_P(AStorageDriver, RefusesASecondRootOfTheSameInstance) {
  ASSERT_TRUE(create(first_));
  for (const auto& again : {create(first_), driver().create_empty_root(first_)}) {
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Code::AlreadyExists);
  }
}

TEST_P(AStorageDriver, LeavesNothingWhenTheImageIsNotThere) {
  const auto made = driver().create_root(first_, image_, "/nonexistent/tree", false);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::NotFound);
  EXPECT_FALSE(has(first_));
  EXPECT_TRUE(create(first_));
}

TEST_P(AStorageDriver, AnswersNotFoundForAnInstanceItDoesNotKnow) {
  EXPECT_EQ(driver().root(first_).error().code, Code::NotFound);
  EXPECT_EQ(driver().usage(first_).error().code, Code::NotFound);
  EXPECT_EQ(driver().convert_to_plain(first_).error().code, Code::NotFound);
}

TEST_P(AStorageDriver, DeletesARootAndTakesAnAbsentOneForSuccess) {
  ASSERT_TRUE(create(first_));
  ASSERT_TRUE(driver().delete_root(first_));
  EXPECT_FALSE(has(first_));
  EXPECT_EQ(driver().root(first_).error().code, Code::NotFound);
  EXPECT_TRUE(driver().delete_root(first_));
  EXPECT_TRUE(driver().empty_trash());
  EXPECT_TRUE(create(first_)) << "the name is free again";
}

TEST_P(AStorageDriver, KeepsAnImageThatALayerNeeds) {
  ASSERT_TRUE(create(first_));
  ASSERT_TRUE(create(second_));
  const bool layered = driver().capabilities().layered;
  EXPECT_EQ(static_cast<bool>(driver().remove_image(image_)), !layered);
  ASSERT_TRUE(driver().delete_root(first_));
  EXPECT_EQ(static_cast<bool>(driver().remove_image(image_)), !layered);
  ASSERT_TRUE(driver().delete_root(second_));
  EXPECT_TRUE(driver().remove_image(image_));
}

TEST_P(AStorageDriver, ConvertsALayerToAPlainRootOnce) {
  ASSERT_TRUE(create(first_));
  const auto converted = driver().convert_to_plain(first_);
  ASSERT_TRUE(converted) << converted.error().message;
  EXPECT_EQ(driver().root(first_)->kind, ports::RootSpec::Kind::Plain);
  EXPECT_TRUE(driver().convert_to_plain(first_)) << "must be idempotent";
  EXPECT_TRUE(driver().remove_image(image_));
  EXPECT_TRUE(has(first_));
}

TEST_P(AStorageDriver, TellsTheUsageOfARoot) {
  ASSERT_TRUE(create(first_));
  EXPECT_TRUE(driver().usage(first_));
}

TEST_P(AStorageDriver, KnowsItsRootsAfterARestart) {
  ASSERT_TRUE(create(first_));
  ASSERT_TRUE(create(second_, true));
  const auto before = driver().root(first_);
  subject_->reopen();
  EXPECT_TRUE(has(first_));
  EXPECT_TRUE(has(second_));
  const auto after = driver().root(first_);
  ASSERT_TRUE(after);
  EXPECT_EQ(after->kind, before->kind);
  EXPECT_EQ(after->lower, before->lower);
}

}  // namespace berth::testing_support
