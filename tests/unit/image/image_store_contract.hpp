#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "daemon/ports/image_store.hpp"
#include "tests/unit/image/tar_builder.hpp"

namespace berth::testing_support {

/// One image store under the contract's tests.
class ImageStoreSubject {
 public:
  virtual ~ImageStoreSubject() = default;
  virtual ports::ImageStore& store() = 0;
};

using MakeImageStoreSubject = std::function<std::unique_ptr<ImageStoreSubject>()>;

/// What every image store promises (ports/image_store.hpp); the real one and the fake pass the same tests.
class AnImageStore : public ::testing::TestWithParam<MakeImageStoreSubject> {
 protected:
  void SetUp() override { subject_ = GetParam()(); }
  ports::ImageStore& store() { return subject_->store(); }
  static std::string archive(const std::string& hostname = "guest") {
    return TarBuilder().good_metadata().folder("rootfs").file("rootfs/hostname", hostname).bytes();
  }
  Result<ports::StagedImage> stage(const std::string& bytes, std::optional<Fingerprint> expected = {}) {
    return store().stage({.file = file_of(bytes), .rootfs = {}, .expected = std::move(expected)}, {}, {});
  }
  static std::string content(const UniqueFd& fd) {
    std::string out(1 << 20, '\0');
    const ssize_t n = read(fd.get(), out.data(), out.size());
    out.resize(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    return out;
  }

  std::unique_ptr<ImageStoreSubject> subject_;
  const Fingerprint unknown_ = *Fingerprint::parse(std::string(64, '0'));
};

TEST_P(AnImageStore, ShowsAnImageOnlyWhenItIsCommitted) {
  const auto staged = stage(archive());
  ASSERT_TRUE(staged) << staged.error().message;
  EXPECT_EQ(store().tree(staged->fingerprint).error().code, Code::NotFound);
  ASSERT_TRUE(store().commit(*staged));
  EXPECT_TRUE(store().tree(staged->fingerprint));
  EXPECT_FALSE(store().needs_plain_root(staged->fingerprint).value_or(true));
  const auto metadata = store().metadata(staged->fingerprint);
  ASSERT_TRUE(metadata);
  EXPECT_EQ(metadata->architecture, "x86_64");
  EXPECT_EQ(metadata->properties, (ConfigMap{{"os", "Test"}, {"release", "1"}}));
  EXPECT_EQ(metadata->created_at, Timestamp(std::chrono::seconds(1700000000)));
}

TEST_P(AnImageStore, GivesTheFileBackAsItCame) {
  const auto staged = stage(archive());
  ASSERT_TRUE(staged);
  EXPECT_EQ(staged->size, archive().size());
  ASSERT_TRUE(store().commit(*staged));
  const auto files = store().files(staged->fingerprint);
  ASSERT_TRUE(files);
  ASSERT_EQ(files->size(), 1U);
  EXPECT_EQ(content((*files)[0]), archive());
}

TEST_P(AnImageStore, KeepsBothFilesOfASplitImage) {
  const std::string metadata = TarBuilder().good_metadata().bytes();
  const std::string root = TarBuilder().file("./etc/hostname", "guest").bytes();
  const auto staged = store().stage({.file = file_of(metadata), .rootfs = file_of(root), .expected = {}}, {}, {});
  ASSERT_TRUE(staged) << staged.error().message;
  EXPECT_TRUE(staged->split);
  EXPECT_EQ(staged->size, metadata.size() + root.size());
  ASSERT_TRUE(store().commit(*staged));
  const auto files = store().files(staged->fingerprint);
  ASSERT_TRUE(files);
  ASSERT_EQ(files->size(), 2U);
  EXPECT_EQ(content((*files)[0]), metadata);
  EXPECT_EQ(content((*files)[1]), root);
  // The fingerprint is that of both files one after the other.
  const auto joined = stage(metadata + root, staged->fingerprint);
  EXPECT_TRUE(joined || joined.error().code != Code::FailedPrecondition);
}

TEST_P(AnImageStore, CommitsTheSameImageTwice) {
  const auto first = stage(archive());
  const auto second = stage(archive());
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->fingerprint, second->fingerprint);
  EXPECT_TRUE(store().commit(*first));
  EXPECT_TRUE(store().commit(*second));
  const auto all = store().reconcile();
  ASSERT_TRUE(all);
  EXPECT_THAT(*all, ::testing::ElementsAre(first->fingerprint));
}

TEST_P(AnImageStore, RefusesAnotherFingerprintThanExpected) {
  const auto staged = stage(archive(), unknown_);
  ASSERT_FALSE(staged);
  EXPECT_EQ(staged.error().code, Code::FailedPrecondition);
  const auto good = stage(archive());
  ASSERT_TRUE(good);
  EXPECT_TRUE(stage(archive(), good->fingerprint));
}

TEST_P(AnImageStore, ForgetsWhatIsDiscardedOrLeftStaged) {
  const auto discarded = stage(archive("one"));
  const auto left = stage(archive("two"));
  ASSERT_TRUE(discarded && left);
  store().discard(discarded->staging);
  EXPECT_FALSE(store().commit(*discarded));
  const auto all = store().reconcile();
  ASSERT_TRUE(all);
  EXPECT_TRUE(all->empty());
  EXPECT_FALSE(store().commit(*left));
}

TEST_P(AnImageStore, RemovesAnImageAndTakesAnAbsentOneForSuccess) {
  const auto staged = stage(archive());
  ASSERT_TRUE(staged);
  ASSERT_TRUE(store().commit(*staged));
  ASSERT_TRUE(store().remove(staged->fingerprint));
  EXPECT_EQ(store().tree(staged->fingerprint).error().code, Code::NotFound);
  EXPECT_EQ(store().metadata(staged->fingerprint).error().code, Code::NotFound);
  EXPECT_EQ(store().files(staged->fingerprint).error().code, Code::NotFound);
  EXPECT_EQ(store().needs_plain_root(staged->fingerprint).error().code, Code::NotFound);
  EXPECT_TRUE(store().remove(staged->fingerprint));
  EXPECT_TRUE(store().empty_trash());
  EXPECT_TRUE(store().reconcile()->empty());
}

TEST_P(AnImageStore, OpensTheTemplatesOfAnImage) {
  const auto name = *TemplateName::parse("hostname.tpl");
  EXPECT_EQ(store().open_template(unknown_, name).error().code, Code::NotFound);
  const auto staged = stage(TarBuilder()
                                .good_metadata()
                                .folder("rootfs")
                                .folder("templates")
                                .file("templates/hostname.tpl", "{{ container.name }}\n")
                                .bytes());
  ASSERT_TRUE(staged) << staged.error().message;
  ASSERT_TRUE(store().commit(*staged));
  const auto opened = store().open_template(staged->fingerprint, name);
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(content(*opened), "{{ container.name }}\n");
  EXPECT_EQ(store().open_template(staged->fingerprint, *TemplateName::parse("other")).error().code, Code::NotFound);
}

TEST_P(AnImageStore, StopsWhenCancelled) {
  const auto staged =
      store().stage({.file = file_of(archive()), .rootfs = {}, .expected = {}}, {}, [] { return true; });
  ASSERT_FALSE(staged);
  EXPECT_EQ(staged.error().code, Code::Cancelled);
}

}  // namespace berth::testing_support
