#include <sys/mman.h>

#include "daemon/ports/guest_files.hpp"
#include "daemon/ports/instance_metadata.hpp"
#include "tests/unit/services/services_fixture.hpp"

namespace berth::services {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

/// An instance whose metadata has templates for several triggers.
class TemplatesAtStart : public ServicesTest {
 protected:
  void SetUp() override {
    row_ = std::make_unique<Instance>(make_instance("web"));
    ports::ImageMetadata metadata{.architecture = "x86_64", .created_at = Timestamp(std::chrono::seconds(1))};
    metadata.templates = {{.target = "/etc/hostname", .when = {"create", "copy", "rename"}, .source = "hostname.tpl"},
                          {.target = "/etc/seed", .when = {"start"}, .create_only = true, .source = "hostname.tpl",
                           .properties = {{"default", "x"}}}};
    ASSERT_TRUE(metadata_.write(row_->uuid, metadata));
    const UniqueFd text(memfd_create("text", MFD_CLOEXEC));
    ASSERT_TRUE(metadata_.write_template(row_->uuid, *TemplateName::parse("hostname.tpl"), text.get()));
  }
  void set_pending(const std::string& trigger) {
    ASSERT_TRUE(store_.set_instance_volatile(row_->uuid, {{"volatile.apply_template", trigger}}));
  }
  /// `trigger target` of everything that was rendered at this start.
  std::vector<std::string> rendered_at_start() {
    EXPECT_EQ(outcome(lifecycle_.start(kRoot, default_project(), kWeb)).message, "");
    std::vector<std::string> all;
    for (const auto& request : files_.take_rendered())
      for (const auto& one : request.due) all.push_back(one.trigger + " " + one.target);
    EXPECT_EQ(outcome(lifecycle_.stop(kRoot, default_project(), kWeb, {.force = true})).message, "");
    return all;
  }
  std::unique_ptr<Instance> row_;
};

TEST_F(TemplatesAtStart, AreThoseThatWaitedAndThenThoseOfEachStart) {
  set_pending("create");
  EXPECT_THAT(rendered_at_start(), ElementsAre("create /etc/hostname", "start /etc/seed"));
  EXPECT_THAT(rendered_at_start(), ElementsAre("start /etc/seed"));
  EXPECT_FALSE(stored("web").config.contains("volatile.apply_template"));
}

TEST_F(TemplatesAtStart, FollowARename) {
  set_pending("");
  EXPECT_THAT(rendered_at_start(), ElementsAre("start /etc/seed"));
  expect_success(lifecycle_.rename(kRoot, default_project(), kWeb, instance_name("other")));
  expect_success(lifecycle_.rename(kRoot, default_project(), instance_name("other"), kWeb));
  EXPECT_THAT(rendered_at_start(), ElementsAre("rename /etc/hostname", "start /etc/seed"));
}

TEST_F(TemplatesAtStart, SeeTheInstanceAndItsExpandedConfiguration) {
  EXPECT_EQ(outcome(lifecycle_.start(kRoot, default_project(), kWeb)).message, "");
  const auto requests = files_.take_rendered();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_THAT(requests[0].instance, Contains(Pair("name", "web")));
  EXPECT_THAT(requests[0].instance, Contains(Pair("ephemeral", "false")));
  EXPECT_THAT(requests[0].instance, Contains(Pair("privileged", "false")));
  EXPECT_THAT(requests[0].config, Contains(Pair("volatile.uuid", row_->uuid.str())));
  EXPECT_TRUE(requests[0].devices.contains("root"));
  EXPECT_TRUE(requests[0].due.back().create_only);
  EXPECT_THAT(requests[0].due.back().properties, Contains(Pair("default", "x")));
}

TEST_F(TemplatesAtStart, CostNothingWhenNoneIsDue) {
  ASSERT_TRUE(metadata_.write(row_->uuid, {.architecture = "x86_64", .created_at = Timestamp(std::chrono::seconds(1))}));
  set_pending("create");
  EXPECT_THAT(rendered_at_start(), IsEmpty());
  ASSERT_TRUE(metadata_.remove(row_->uuid));
  EXPECT_THAT(rendered_at_start(), IsEmpty());
}

TEST_F(TemplatesAtStart, StopTheStartWhenTheyCannotBeRendered) {
  set_pending("create");
  files_.refuse_next(Error{Code::InvalidArgument, "Failed to render the template `hostname.tpl`: line 1: no"});
  const auto error = outcome(lifecycle_.start(kRoot, default_project(), kWeb));
  EXPECT_THAT(error.message, testing::HasSubstr("Failed to render the template `hostname.tpl`: line 1: no"));
  EXPECT_EQ(runtime_.status(row_->uuid), InstanceStatus::Stopped);
  EXPECT_THAT(stored("web").config, Contains(Pair("volatile.apply_template", "create")));
  EXPECT_THAT(rendered_at_start(), ElementsAre("create /etc/hostname", "start /etc/seed"));
}

TEST_F(ServicesTest, AnInstanceHasItsOwnCopyOfItsImagesMetadata) {
  (void)add_image({{"os", "busybox"}}, {{.target = "/etc/hostname", .when = {"create"}, .source = "hostname.tpl"}});
  const auto row = make_instance("web");
  const auto own = metadata_.read(row.uuid);
  ASSERT_TRUE(own);
  ASSERT_EQ(own->templates.size(), 1U);
  EXPECT_THAT(*metadata_.templates(row.uuid), ElementsAre("hostname.tpl"));
  expect_success(lifecycle_.remove(kRoot, default_project(), kWeb, false));
  EXPECT_EQ(metadata_.read(row.uuid).error().code, Code::NotFound);
}

}  // namespace
}  // namespace berth::services
