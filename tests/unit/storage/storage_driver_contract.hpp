#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

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

TEST_P(AStorageDriver, KeepsATreeThatIsFilledAndNothingOfOneThatFails) {
  const ports::TreeId snapshot{first_, second_};
  for (const auto& to : {ports::TreeId{first_, {}}, snapshot}) {
    const auto failed = driver().fill_tree(to, [](int) -> Result<void> { return Error{Code::Unavailable, "full"}; });
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, Code::Unavailable);
    EXPECT_FALSE(driver().tree(to));
    const auto filled = driver().fill_tree(to, [](int folder) -> Result<void> {
      EXPECT_EQ(mkdirat(folder, "etc", 0755), 0);
      return {};
    });
    ASSERT_TRUE(filled) << filled.error().message;
    const auto tree = driver().tree(to);
    ASSERT_TRUE(tree) << tree.error().message;
    EXPECT_EQ(tree->kind, ports::RootSpec::Kind::Plain);
    EXPECT_FALSE(driver().fill_tree(to, [](int) -> Result<void> { return {}; })) << "it is there already";
  }
  EXPECT_TRUE(has(first_));
  EXPECT_TRUE(driver().delete_snapshot(snapshot));
  EXPECT_TRUE(driver().delete_root(first_));
  EXPECT_FALSE(driver().tree(snapshot));
}

TEST_P(AStorageDriver, TellsWhereASnapshotIsAsItTellsOfARoot) {
  ASSERT_TRUE(create(first_));
  const ports::TreeId snapshot{first_, second_};
  ASSERT_TRUE(driver().copy_tree({first_, {}}, snapshot));
  const auto root = driver().tree({first_, {}});
  const auto kept = driver().tree(snapshot);
  ASSERT_TRUE(root && kept);
  EXPECT_EQ(root->kind, kept->kind);
  EXPECT_EQ(root->lower, kept->lower);
  EXPECT_NE(root->layer + root->plain, kept->layer + kept->plain);
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

TEST_P(AStorageDriver, CopiesARootToASnapshotAndToAnotherInstance) {
  for (const bool plain : {false, true}) {
    const Uuid instance = new_uuid();
    const Uuid copy = new_uuid();
    const Uuid snapshot = new_uuid();
    ASSERT_TRUE(create(instance, plain));
    const auto taken = driver().copy_tree({instance, {}}, {instance, snapshot});
    ASSERT_TRUE(taken) << taken.error().message;
    EXPECT_EQ(driver().copy_tree({instance, {}}, {instance, snapshot}).error().code, Code::AlreadyExists);
    EXPECT_FALSE(has(snapshot)) << "a snapshot is no root of an instance";
    ASSERT_TRUE(driver().copy_tree({instance, snapshot}, {copy, {}}));
    EXPECT_EQ(driver().root(copy)->kind, driver().root(instance)->kind);
    EXPECT_EQ(driver().root(copy)->lower, driver().root(instance)->lower);
    ASSERT_TRUE(driver().delete_root(instance));
    EXPECT_TRUE(driver().copy_tree({instance, snapshot}, {new_uuid(), {}})) << "it stands on its own";
    EXPECT_TRUE(driver().delete_snapshot({instance, snapshot}));
    EXPECT_TRUE(driver().delete_snapshot({instance, snapshot})) << "an absent one is success";
  }
}

TEST_P(AStorageDriver, ReplacesATreeThatIsThereAndNoOther) {
  ASSERT_TRUE(create(first_));
  ASSERT_TRUE(driver().copy_tree({first_, {}}, {first_, second_}));
  ASSERT_TRUE(driver().replace_tree({first_, second_}, {first_, {}}));
  EXPECT_TRUE(driver().root(first_));
  EXPECT_EQ(driver().replace_tree({first_, second_}, {new_uuid(), {}}).error().code, Code::NotFound);
  EXPECT_EQ(driver().replace_tree({first_, new_uuid()}, {first_, {}}).error().code, Code::NotFound);
  EXPECT_EQ(driver().copy_tree({new_uuid(), {}}, {new_uuid(), {}}).error().code, Code::NotFound);
  EXPECT_TRUE(driver().root(first_)) << "a copy that fails leaves what was there";
}

TEST_P(AStorageDriver, KeepsAnImageThatASnapshotNeeds) {
  ASSERT_TRUE(create(first_));
  ASSERT_TRUE(driver().copy_tree({first_, {}}, {first_, second_}));
  ASSERT_TRUE(driver().delete_root(first_));
  EXPECT_EQ(static_cast<bool>(driver().remove_image(image_)), !driver().capabilities().layered);
  ASSERT_TRUE(driver().delete_snapshot({first_, second_}));
  EXPECT_TRUE(driver().remove_image(image_));
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
