#include "daemon/services/instance_files.hpp"

#include <sys/mman.h>

#include "daemon/ports/instance_metadata.hpp"
#include "daemon/services/instance_metadata.hpp"
#include "tests/unit/services/services_fixture.hpp"

namespace berth::services {
namespace {

using testing::Contains;
using testing::ElementsAre;

UniqueFd memory(const std::string& text) {
  UniqueFd fd(memfd_create("text", MFD_CLOEXEC));
  EXPECT_EQ(write(fd.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  EXPECT_EQ(lseek(fd.get(), 0, SEEK_SET), 0);
  return fd;
}

std::string content(const UniqueFd& fd) {
  std::string out(1 << 16, '\0');
  const ssize_t n = read(fd.get(), out.data(), out.size());
  out.resize(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
  return out;
}

class FilesOfInstances : public ServicesTest {
 protected:
  Error put(const std::string& path, const std::string& text) {
    return outcome(instance_files_.write(kRoot, default_project(), kWeb, {.path = path}, memory(text)));
  }
  InstanceFiles instance_files_{context_};
  InstanceMetadata instance_metadata_{context_};
};

TEST_F(FilesOfInstances, AreReachedInStoppedAndRunningOnes) {
  (void)make_instance("web");
  EXPECT_EQ(put("/a", "text").message, "");
  EXPECT_FALSE(files_.saw_running());
  expect_success(lifecycle_.start(kRoot, default_project(), kWeb));
  const auto opened = instance_files_.open(kRoot, default_project(), kWeb, "a", true);
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_TRUE(files_.saw_running());
  EXPECT_EQ(content(opened->content), "text");
  EXPECT_TRUE(instance_files_.remove(kRoot, default_project(), kWeb, "/a"));
  EXPECT_EQ(instance_files_.remove(kRoot, default_project(), kWeb, "/a").error().code, Code::NotFound);
}

TEST_F(FilesOfInstances, TellOfWhatWasDoneToThem) {
  (void)make_instance("web");
  forget_events();
  EXPECT_EQ(put("/a", "text").message, "");
  ASSERT_TRUE(instance_files_.open(kRoot, default_project(), kWeb, "/a", true));
  ASSERT_TRUE(instance_files_.open(kRoot, default_project(), kWeb, "/a", false));
  ASSERT_TRUE(instance_files_.remove(kRoot, default_project(), kWeb, "/a"));
  EXPECT_THAT(actions(), ElementsAre("instance-file-pushed", "instance-file-retrieved", "instance-file-deleted"));
}

TEST_F(FilesOfInstances, HoldTheLockOfAStoppedOneOnlyWhileTheyAreAtWork) {
  (void)make_instance("web");
  EXPECT_EQ(put("/a", "text").message, "");
  ASSERT_TRUE(instance_files_.open(kRoot, default_project(), kWeb, "/a", true));
  expect_success(lifecycle_.start(kRoot, default_project(), kWeb));
}

TEST_F(FilesOfInstances, RefuseRequestsThatMakeNoSense) {
  (void)make_instance("web");
  const auto code = [&](ports::GuestFileWrite request) {
    return outcome(instance_files_.write(kRoot, default_project(), kWeb, std::move(request), memory(""))).code;
  };
  EXPECT_EQ(code({.path = ""}), Code::InvalidArgument);
  EXPECT_EQ(code({.path = std::string(5000, 'a')}), Code::InvalidArgument);
  EXPECT_EQ(code({.path = std::string("/a\0b", 4)}), Code::InvalidArgument);
  EXPECT_EQ(code({.path = "/a", .type = "socket"}), Code::InvalidArgument);
  EXPECT_EQ(code({.path = "/a", .mode = 010000}), Code::InvalidArgument);
  EXPECT_EQ(instance_files_.open(kRoot, default_project(), instance_name("none"), "/a", true).error().code,
            Code::NotFound);
  files_.refuse_next(Error{Code::Unavailable, "the disk is full"});
  EXPECT_EQ(put("/a", "x").message, "the disk is full");
}

TEST_F(FilesOfInstances, TemplatesAndMetadataAreTheInstancesOwn) {
  (void)make_instance("web");
  const auto file = memory("{{ container.name }}");
  ASSERT_TRUE(instance_metadata_.write_template(kRoot, default_project(), kWeb, "a.tpl", file.get(), true));
  const auto again = memory("x");
  EXPECT_EQ(instance_metadata_.write_template(kRoot, default_project(), kWeb, "a.tpl", again.get(), true).error().code,
            Code::InvalidArgument);
  ASSERT_TRUE(instance_metadata_.write_template(kRoot, default_project(), kWeb, "a.tpl", again.get(), false));
  EXPECT_THAT(*instance_metadata_.templates(kRoot, default_project(), kWeb), ElementsAre("a.tpl"));
  const auto opened = instance_metadata_.open_template(kRoot, default_project(), kWeb, "a.tpl");
  ASSERT_TRUE(opened);
  EXPECT_EQ(content(*opened), "x");
  for (const char* const name : {"", "..", "a/b", "/etc/passwd"})
    EXPECT_EQ(instance_metadata_.open_template(kRoot, default_project(), kWeb, name).error().code, Code::InvalidArgument);

  ports::ImageMetadata metadata{.architecture = "x86_64", .created_at = Timestamp(std::chrono::seconds(1))};
  metadata.templates = {{.target = "/etc/a", .when = {"start"}, .source = "a.tpl"}};
  ASSERT_TRUE(instance_metadata_.set(kRoot, default_project(), kWeb, metadata));
  const auto shown = instance_metadata_.get(kRoot, default_project(), kWeb);
  ASSERT_TRUE(shown);
  EXPECT_EQ(std::get<std::uint64_t>(shown->at("created_at").value), 1'000'000U);
  EXPECT_TRUE(std::get<Document>(shown->at("templates").value).contains("/etc/a"));
  expect_success(lifecycle_.start(kRoot, default_project(), kWeb));
  ASSERT_EQ(files_.take_rendered().size(), 1U);
  ASSERT_TRUE(instance_metadata_.remove_template(kRoot, default_project(), kWeb, "a.tpl"));
  EXPECT_THAT(actions(), Contains("instance-metadata-template-deleted"));
}

TEST_F(FilesOfInstances, OfAStoppedOneAreServedToOneSftpSessionUntilSomethingElseIsToBeDone) {
  (void)make_instance("web");
  const auto session = instance_files_.sftp(kRoot, default_project(), kWeb);
  ASSERT_TRUE(session) << session.error().message;
  EXPECT_FALSE(files_.saw_running());
  EXPECT_EQ(put("/a", "text").code, Code::Busy);
  EXPECT_EQ(instance_files_.sftp(kRoot, default_project(), kWeb).error().code, Code::Busy);
  expect_success(lifecycle_.start(kRoot, default_project(), kWeb));
  char byte = 0;
  EXPECT_EQ(read(session->get(), &byte, 1), 0) << "the session has ended";
  ASSERT_TRUE(instance_files_.sftp(kRoot, default_project(), kWeb));
  EXPECT_TRUE(files_.saw_running());
  EXPECT_EQ(put("/a", "text").message, "") << "of a running one there may be many";
}

TEST_F(FilesOfInstances, AreFreeAgainWhenTheirSftpSessionEnds) {
  (void)make_instance("web");
  ASSERT_TRUE(instance_files_.sftp(kRoot, default_project(), kWeb));
  EXPECT_EQ(files_.end_sftp(), 1U);
  EXPECT_EQ(put("/a", "text").message, "");
  files_.refuse_next(Error{Code::LimitsExceeded, "too many"});
  EXPECT_EQ(instance_files_.sftp(kRoot, default_project(), kWeb).error().code, Code::LimitsExceeded);
  EXPECT_EQ(put("/a", "text").message, "") << "a refusal leaves no lock behind";
}

}  // namespace
}  // namespace berth::services
