#include <chrono>

#include "tests/unit/guest/guest_fixture.hpp"

namespace berth::testing_support {
namespace {

using ::testing::HasSubstr;

class TemplatesInAGuest : public GuestFilesTest {
 protected:
  static ports::DueTemplate due(const std::string& target, const std::string& text, bool create_only = false) {
    return {.trigger = "create",
            .target = target,
            .name = "one.tpl",
            .create_only = create_only,
            .properties = {{"default", "#none"}},
            .text = memory(text)};
  }
  Result<void> render(std::vector<ports::DueTemplate> all) {
    return files_.render(root(), {.instance = {{"name", "web"}, {"ephemeral", "false"}},
                                  .config = {{"user.user-data", "#data\n"}},
                                  .devices = {{"eth0", {{"type", "nic"}}}},
                                  .due = std::move(all)});
  }
  Result<void> render(const std::string& target, const std::string& text, bool create_only = false) {
    std::vector<ports::DueTemplate> all;
    all.push_back(due(target, text, create_only));
    return render(std::move(all));
  }
  void expect_refused(const std::string& target, const std::string& text, Code code, const std::string& words) {
    const auto refused = render(target, text);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, code) << refused.error().message;
    EXPECT_THAT(refused.error().message, HasSubstr(words));
    EXPECT_THAT(refused.error().message, HasSubstr("Failed to render the template `one.tpl`"));
  }
};

TEST_P(TemplatesInAGuest, MakeNewFilesOfTheGuestsRoot) {
  const auto rendered = render("/etc/hostname", "{{ container.name }} {{ trigger }} {{ path }}\n");
  ASSERT_TRUE(rendered) << rendered.error().message;
  EXPECT_EQ(read(changed("etc/hostname")), "web create /etc/hostname\n");
  const auto info = look(changed("etc/hostname"));
  EXPECT_EQ(info.st_mode, S_IFREG | 0644U);
  EXPECT_EQ(info.st_uid, 0U);
  EXPECT_EQ(info.st_gid, 0U);
}

TEST_P(TemplatesInAGuest, SeeConfigurationDevicesAndProperties) {
  ASSERT_TRUE(render("/etc/a", "{{ config_get('user.user-data', '') }}|{{ devices.eth0.type }}|{{ properties.default }}"));
  EXPECT_EQ(read(changed("etc/a")), "#data|nic|#none");
}

TEST_P(TemplatesInAGuest, MakeTheFoldersThatAreMissing) {
  ASSERT_TRUE(render("/var/lib/cloud/seed/user-data", "x"));
  EXPECT_EQ(read(changed("var/lib/cloud/seed/user-data")), "x");
  EXPECT_EQ(look(changed("var/lib/cloud")).st_mode, S_IFDIR | 0755U);
}

TEST_P(TemplatesInAGuest, KeepOwnerAndModeOfWhatIsThere) {
  ASSERT_EQ(chown(lower("etc/issue").c_str(), 1000, 1001), 0);
  ASSERT_EQ(chmod(lower("etc/issue").c_str(), 0600), 0);
  ASSERT_TRUE(render("/etc/issue", "new"));
  EXPECT_EQ(read(changed("etc/issue")), "new");
  const auto info = look(changed("etc/issue"));
  EXPECT_EQ(info.st_mode, S_IFREG | 0600U);
  EXPECT_EQ(info.st_uid, 1000U);
  EXPECT_EQ(info.st_gid, 1001U);
  if (overlay()) {
    EXPECT_EQ(read(lower("etc/issue")), "old text that is long\n") << "the image was changed";
  }
}

TEST_P(TemplatesInAGuest, LeaveAloneWhatIsThereWhenOnlyToCreate) {
  ASSERT_TRUE(render("/etc/issue", "new", true));
  EXPECT_EQ(read(lower("etc/issue")), "old text that is long\n");
  ASSERT_TRUE(render("/etc/other", "new", true));
  EXPECT_EQ(read(changed("etc/other")), "new");
}

TEST_P(TemplatesInAGuest, LeaveTheFileAloneWhenTheTemplateIsWrong) {
  expect_refused("/etc/issue", "a\n{{ b c }}", Code::InvalidArgument, "line 2: `c` is not understood here");
  EXPECT_EQ(read(lower("etc/issue")), "old text that is long\n");
}

TEST_P(TemplatesInAGuest, AreWrittenInTheirOrder) {
  std::vector<ports::DueTemplate> all;
  all.push_back(due("/etc/a", "one"));
  all.push_back(due("/etc/a", "two"));
  ASSERT_TRUE(render(std::move(all)));
  EXPECT_EQ(read(changed("etc/a")), "two");
}

TEST_P(TemplatesInAGuest, FollowNoLinkOutOfTheGuest_Rule2) {
  const std::string outside = home_.path() + "/canary";
  std::filesystem::create_symlink(outside, lower("etc/absolute"));
  std::filesystem::create_symlink("../../canary", lower("etc/relative"));
  std::filesystem::create_directory_symlink(home_.path(), lower("out"));
  for (const char* const target : {"/etc/absolute", "/etc/relative", "/out/canary", "/../canary", "/etc/../../canary"})
    (void)render(target, "hostile").has_value();
  EXPECT_EQ(read(outside), "untouched");
  // What such a link means to the guest is a path of its own.
  EXPECT_EQ(read(changed("canary")), "hostile");
}

TEST_P(TemplatesInAGuest, FollowNoMagicLink_Rule2) {
  std::filesystem::create_symlink("/proc/1/root", lower("magic"));
  (void)render("/magic/etc/hostile", "x").has_value();
  EXPECT_FALSE(std::filesystem::exists("/etc/hostile"));
}

TEST_P(TemplatesInAGuest, DoNotWaitForAFifo_Rule2) {
  ASSERT_EQ(mkfifo(lower("etc/fifo").c_str(), 0644), 0);
  expect_refused("/etc/fifo", "x", Code::FailedPrecondition, "`/etc/fifo`");
  std::filesystem::create_directories(lower("etc/folder"));
  expect_refused("/etc/folder", "x", Code::FailedPrecondition, "it is a folder");
  expect_refused("/etc/issue/x", "x", Code::FailedPrecondition, "is not a folder");
}

TEST_P(TemplatesInAGuest, AreBoundInTime_Rule20) {
  std::string text = "x";
  for (int i = 0; i < 30; ++i) text = "{% for a in 'aaaaaaaaaaaaaaaaaaaa' %}" + text + "{% endfor %}";
  // By its steps, or where those are slow (a sanitizer's build) by its time.
  const auto refused = render("/etc/a", text);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::LimitsExceeded) << refused.error().message;
  EXPECT_THAT(refused.error().message, HasSubstr("too long"));
  EXPECT_FALSE(std::filesystem::exists(changed("etc/a")));
}

TEST_P(TemplatesInAGuest, AreBoundInNumberAndSize_Rule20) {
  std::vector<ports::DueTemplate> all;
  for (int i = 0; i < 65; ++i) all.push_back(due("/etc/a", "x"));
  EXPECT_EQ(render(std::move(all)).error().code, Code::LimitsExceeded);
  EXPECT_EQ(render("/etc/a", std::string((1 << 20) + 1, 'x')).error().code, Code::LimitsExceeded);
}

TEST_P(TemplatesInAGuest, TakeMilliseconds) {
  ASSERT_TRUE(render("/etc/hostname", "{{ container.name }}"));
  const auto begun = std::chrono::steady_clock::now();
  constexpr int kTimes = 20;
  for (int i = 0; i < kTimes; ++i) ASSERT_TRUE(render("/etc/hostname", "{{ container.name }}"));
  const auto each = (std::chrono::steady_clock::now() - begun) / kTimes;
  RecordProperty("microseconds", static_cast<int>(std::chrono::duration_cast<std::chrono::microseconds>(each).count()));
  EXPECT_LT(each, std::chrono::milliseconds(250));
}

INSTANTIATE_TEST_SUITE_P(Plain, TemplatesInAGuest, ::testing::Values(RootSpec::Kind::Plain));
INSTANTIATE_TEST_SUITE_P(Overlay, TemplatesInAGuest, ::testing::Values(RootSpec::Kind::Overlay));

}  // namespace
}  // namespace berth::testing_support
