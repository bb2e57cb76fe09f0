#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "daemon/adapters/image/instance_metadata_folder.hpp"
#include "tests/fakes/fake_instance_metadata.hpp"
#include "tests/unit/image/tar_builder.hpp"
#include "tests/unit/store/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::testing_support {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Subject {
  TemporaryFolder home;
  std::unique_ptr<ports::InstanceMetadata> metadata;
};
using MakeSubject = std::function<std::unique_ptr<Subject>()>;

std::unique_ptr<Subject> real() {
  auto subject = std::make_unique<Subject>();
  subject->metadata = std::make_unique<adapters::InstanceMetadataFolder>(
      *adapters::InstanceMetadataFolder::open(subject->home.path() + "/instances"));
  return subject;
}
std::unique_ptr<Subject> fake() {
  auto subject = std::make_unique<Subject>();
  subject->metadata = std::make_unique<fakes::FakeInstanceMetadata>();
  return subject;
}

TemplateName name_of(const std::string& text) { return *TemplateName::parse(text); }

std::string content(const UniqueFd& fd) {
  std::string out(1 << 16, '\0');
  const ssize_t n = read(fd.get(), out.data(), out.size());
  out.resize(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
  return out;
}

/// What every store of instances' metadata promises (ports/instance_metadata.hpp).
class MetadataOfInstances : public ::testing::TestWithParam<MakeSubject> {
 protected:
  void SetUp() override { subject_ = GetParam()(); }
  ports::InstanceMetadata& store() { return *subject_->metadata; }
  Result<void> put(const std::string& name, const std::string& text) {
    const UniqueFd file = file_of(text);
    return store().write_template(web_, name_of(name), file.get());
  }
  static ports::ImageMetadata some(const std::string& os) {
    ports::ImageMetadata out{.architecture = "x86_64",
                             .created_at = Timestamp(std::chrono::seconds(1700000000)),
                             .properties = {{"os", os}}};
    out.templates = {{.target = "/etc/hostname", .when = {"create"}, .create_only = true, .source = "a.tpl",
                      .properties = {{"default", "x\\"}}}};
    return out;
  }
  std::unique_ptr<Subject> subject_;
  const Uuid web_ = new_uuid();
};

TEST_P(MetadataOfInstances, IsReplacedAsAWhole) {
  EXPECT_EQ(store().read(web_).error().code, Code::NotFound);
  ASSERT_TRUE(store().write(web_, some("one")));
  ASSERT_TRUE(store().write(web_, some("two")));
  const auto read = store().read(web_);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->properties, (ConfigMap{{"os", "two"}}));
  EXPECT_EQ(read->created_at, some("two").created_at);
  ASSERT_EQ(read->templates.size(), 1U);
  EXPECT_EQ(read->templates[0].target, "/etc/hostname");
  EXPECT_THAT(read->templates[0].when, ElementsAre("create"));
  EXPECT_TRUE(read->templates[0].create_only);
  EXPECT_EQ(read->templates[0].properties, (ConfigMap{{"default", "x\\"}}));
}

TEST_P(MetadataOfInstances, KeepsTemplatesByName) {
  EXPECT_THAT(*store().templates(web_), IsEmpty());
  EXPECT_EQ(store().open_template(web_, name_of("a.tpl")).error().code, Code::NotFound);
  ASSERT_TRUE(put("b.tpl", "b"));
  ASSERT_TRUE(put("a.tpl", "\xff old"));
  ASSERT_TRUE(put("a.tpl", "new"));
  EXPECT_THAT(*store().templates(web_), ElementsAre("a.tpl", "b.tpl"));
  EXPECT_EQ(content(*store().open_template(web_, name_of("a.tpl"))), "new");
  ASSERT_TRUE(store().remove_template(web_, name_of("b.tpl")));
  EXPECT_EQ(store().remove_template(web_, name_of("b.tpl")).error().code, Code::NotFound);
  EXPECT_THAT(*store().templates(web_), ElementsAre("a.tpl"));
  EXPECT_THAT(*store().templates(new_uuid()), IsEmpty());
}

TEST_P(MetadataOfInstances, RefusesWhatIsTooLong_Rule20) {
  EXPECT_EQ(put("a.tpl", std::string((1 << 20) + 1, 'x')).error().code, Code::LimitsExceeded);
  EXPECT_THAT(*store().templates(web_), IsEmpty());
}

TEST_P(MetadataOfInstances, GoesWithTheInstance) {
  EXPECT_TRUE(store().remove(web_));
  ASSERT_TRUE(store().write(web_, some("one")));
  ASSERT_TRUE(put("a.tpl", "a"));
  ASSERT_TRUE(store().remove(web_));
  EXPECT_EQ(store().read(web_).error().code, Code::NotFound);
  EXPECT_THAT(*store().templates(web_), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Folder, MetadataOfInstances, ::testing::Values(real));
INSTANTIATE_TEST_SUITE_P(Fake, MetadataOfInstances, ::testing::Values(fake));

TEST(TemplateNames, AreOneElementOfAPath_Rule4) {
  for (const char* const text : {"", ".", "..", "a/b", "/a", "a\nb"}) EXPECT_FALSE(TemplateName::parse(text)) << text;
  EXPECT_FALSE(TemplateName::parse(std::string(256, 'a')));
  EXPECT_TRUE(TemplateName::parse("cloud-init-user.tpl"));
}

TEST(AMetadataFolder, SaysThatItIsDamagedAndKeepsWhatIsNotItsOwn) {
  const auto subject = real();
  const Uuid web = new_uuid();
  const std::string folder = subject->home.path() + "/instances/" + web.str();
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/manifest.json") << "{}";
  std::ofstream(folder + "/metadata.json") << "{\"arch";
  EXPECT_EQ(subject->metadata->read(web).error().code, Code::Internal);
  ASSERT_TRUE(subject->metadata->remove(web));
  EXPECT_FALSE(std::filesystem::exists(folder + "/metadata.json"));
  EXPECT_TRUE(std::filesystem::exists(folder + "/manifest.json"));
  std::filesystem::remove(folder + "/manifest.json");
  ASSERT_TRUE(subject->metadata->remove(web));
  EXPECT_FALSE(std::filesystem::exists(folder));
}

}  // namespace
}  // namespace berth::testing_support
