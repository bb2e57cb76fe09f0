// The last argument of the calls that create or change something: a wrong one is named, and leaves nothing behind.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/unique_fd.hpp"
#include "tests/bus/bench.hpp"
#include "tests/bus/client.hpp"

namespace berth::bustest {
namespace {

using ::testing::HasSubstr;

struct OptionCall {
  std::string interface, member;
  /// Opens with the arguments before the options.
  Fill arguments;
  std::vector<std::string> options;
  /// Writes those behind the options.
  Fill rest;
};

void PrintTo(const OptionCall& call, std::ostream* to) { *to << call.interface << "." << call.member; }

int any_file() {
  static const UniqueFd kFile{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  return kFile.get();
}

Fill texts(std::vector<std::string> all) {
  return [all = std::move(all)](sd_bus_message* m) {
    for (const auto& text : all) (void)sd_bus_message_append(m, "s", text.c_str());
  };
}
void no_options(sd_bus_message* m) { (void)sd_bus_message_append(m, "a{sv}", 0); }
void a_command(sd_bus_message* m) { (void)sd_bus_message_append(m, "as", 1, "true"); }

std::vector<OptionCall> all_calls() {
  const std::vector<std::string> exec{"environment", "user", "group", "cwd"};
  auto deferred = exec, terminal = exec, detached = exec;
  deferred.insert(deferred.end(), {"deferred", "lifeline"});
  terminal.insert(terminal.end(), {"deferred", "lifeline", "width", "height"});
  detached.emplace_back("record-output");
  return {
      {"Manager", "CreateInstance", texts({"default", "web"}),
       {"source", "architecture", "type", "profiles", "config", "devices", "ephemeral", "description", "start"}, {}},
      {"Manager", "ImportImage", [](sd_bus_message* m) { (void)sd_bus_message_append(m, "sh", "default", any_file()); },
       {"rootfs", "fingerprint", "filename", "public", "properties", "aliases", "auto-update"}, {}},
      {"Manager", "FetchImage", texts({"default"}), {"server", "protocol", "certificate", "alias", "fingerprint", "secret", "project"}, no_options},
      {"Manager", "FetchImage",
       [](sd_bus_message* m) {
         (void)sd_bus_message_append(m, "sa{sv}", "default", 2, "server", "s", "https://127.0.0.1:1", "alias", "s", "x");
       },
       {"filename", "public", "properties", "aliases", "auto-update", "profiles"}, {}},
      {"Manager", "CreateProfile", texts({"default", "web"}), {"config", "devices", "description"}, {}},
      {"Manager", "CreateProject", texts({"web"}), {"config", "description"}, {}},
      {"Manager", "ListProjects", {}, {}, {}},
      {"Manager", "DescribeProjects", {}, {"names"}, {}},
      {"Manager", "DescribeResources", {}, {}, {}},
      {"Manager", "CreateImageAlias", texts({"default", "web", std::string(64, 'a')}), {"description"}, {}},
      {"Manager", "UpdateImageAlias", texts({"default", "web"}), {"target", "description"}, {}},
      {"Manager", "ListInstances", texts({"default"}), {}, {}},
      {"Manager", "DescribeInstances", texts({"default"}), {"names", "detail"}, {}},
      {"Manager", "ChangeInstances", texts({"default", "start"}), {"force", "timeout"}, {}},
      {"Manager", "ListImages", texts({"default"}), {}, {}},
      {"Manager", "DescribeImages", texts({"default"}), {"references"}, {}},
      {"Manager", "DescribeProfiles", texts({"default"}), {"names"}, {}},
      {"Manager", "DescribeOperations", texts({"default"}), {"ids"}, {}},
      {"Manager", "Subscribe", {}, {"types", "project"}, {}},
      {"Manager", "SetServerConfig", [](sd_bus_message* m) { (void)sd_bus_message_append(m, "a{ss}", 0); },
       {"replace", "if-revision"}, {}},
      {"Instance", "Start", {}, {}, {}},
      {"Instance", "Stop", {}, {"force", "timeout"}, {}},
      {"Instance", "Restart", {}, {"force", "timeout"}, {}},
      {"Instance", "Freeze", {}, {}, {}},
      {"Instance", "Unfreeze", {}, {}, {}},
      {"Instance", "Rename", texts({"web"}), {}, {}},
      {"Instance", "Move", texts({"other", "web"}), {}, {}},
      {"Instance", "Delete", {}, {"force"}, {}},
      {"Instance", "Update", {}, {"config", "devices", "profiles", "description", "ephemeral", "architecture"}, no_options},
      {"Instance", "Update", no_options, {"replace", "if-revision"}, {}},
      {"Instance", "GetState", {}, {}, {}},
      {"Instance", "Exec", a_command, deferred, {}},
      {"Instance", "ExecTerminal", a_command, terminal, {}},
      {"Instance", "ExecDetached", a_command, detached, {}},
      {"Instance", "OpenConsole", {}, {"width", "height"}, {}},
      {"Instance", "OpenLog", texts({"console.log"}), {}, {}},
      {"Instance", "RemoveLog", texts({"console.log"}), {}, {}},
      {"Instance", "OpenFile", texts({"/etc/hostname"}), {"content"}, {}},
      {"Instance", "WriteFile", [](sd_bus_message* m) { (void)sd_bus_message_append(m, "sh", "/etc/hostname", any_file()); },
       {"type", "append", "uid", "gid", "mode"}, {}},
      {"Instance", "RemoveFile", texts({"/etc/hostname"}), {}, {}},
      {"Instance", "OpenSftp", {}, {}, {}},
      {"Instance", "SetMetadata", {}, {"architecture", "created_at", "expires_at", "properties", "templates"}, no_options},
      {"Instance", "SetMetadata", no_options, {}, {}},
      {"Instance", "OpenTemplate", texts({"a.tpl"}), {}, {}},
      {"Instance", "WriteTemplate", [](sd_bus_message* m) { (void)sd_bus_message_append(m, "sh", "a.tpl", any_file()); }, {"create"}, {}},
      {"Instance", "RemoveTemplate", texts({"a.tpl"}), {}, {}},
      {"Image", "Update", {}, {"properties", "public", "auto-update", "expires-at", "profiles"}, no_options},
      {"Image", "Update", no_options, {"replace", "if-revision"}, {}},
      {"Image", "Delete", {}, {}, {}},
      {"Profile", "Update", {}, {"config", "devices", "description"}, no_options},
      {"Profile", "Update", no_options, {"replace", "if-revision"}, {}},
      {"Project", "Update", {}, {"config", "description"}, no_options},
      {"Project", "Update", no_options, {"replace", "if-revision"}, {}},
      {"Project", "Rename", texts({"web"}), {}, {}},
  };
}

class Options : public ::testing::TestWithParam<OptionCall> {
 protected:
  /// The call with one option of type `d`, which no option has.
  Outcome call_with(const std::string& option) {
    const auto& call = GetParam();
    const auto instance = std::string(kDefaultProject) + "/instance/bench";
    const auto profile = std::string(kDefaultProject) + "/profile/default";
    const auto path = call.interface == "Instance" ? instance
                      : call.interface == "Profile" ? profile
                      : call.interface == "Project" ? kDefaultProject
                      : call.interface == "Image"   ? Bench::get().image()
                                                    : std::string(kRoot);
    return root_.call(path, "org.berth.Berth1." + call.interface, call.member, [&](sd_bus_message* m) {
      if (call.arguments) call.arguments(m);
      (void)sd_bus_message_append(m, "a{sv}", 1, option.c_str(), "d", 0.5);
      if (call.rest) call.rest(m);
    });
  }
  /// What there is, as text, to compare.
  std::string everything() {
    std::string all;
    for (const auto* member : {"ListInstances", "ListImages", "ListProfiles", "ListOperations"}) {
      const auto listed = root_.call(kRoot, kManager, member, [](sd_bus_message* m) { (void)sd_bus_message_append(m, "sa{sv}", "default", 0); });
      EXPECT_TRUE(listed.ok()) << member << ": " << listed;
      char* text = nullptr;
      std::size_t size = 0;
      FILE* memory = ::open_memstream(&text, &size);
      (void)sd_bus_message_dump(listed.reply.get(), memory, SD_BUS_MESSAGE_DUMP_SUBTREE_ONLY);
      (void)::fclose(memory);
      all.append(member).append(text, size);
      ::free(text);  // NOLINT: open_memstream's malloc
    }
    for (const auto& file : std::filesystem::recursive_directory_iterator(Bench::get().state()))
      if (file.is_directory() || file.path().extension() == ".json") all += file.path().string() + "\n";
    return all;
  }
  Client root_;
};

TEST_P(Options, ThatAreUnknownOrOfTheWrongTypeAreNamedAndLeaveNothingBehind) {
  (void)Bench::get().make_instance();
  const auto before = everything();
  const auto unknown = call_with("no-such-option");
  EXPECT_EQ(unknown.error, kInvalid) << unknown;
  EXPECT_THAT(unknown.text, HasSubstr("'no-such-option'"));
  for (const auto& option : GetParam().options) {
    const auto wrong = call_with(option);
    EXPECT_EQ(wrong.error, kInvalid) << option << ": " << wrong;
    EXPECT_THAT(wrong.text, HasSubstr("'" + option + "'"));
    EXPECT_THAT(wrong.text, HasSubstr("type")) << option;
  }
  EXPECT_EQ(everything(), before);
}

INSTANTIATE_TEST_SUITE_P(OfEachCall, Options, ::testing::ValuesIn(all_calls()), [](const auto& each) {
  return each.param.interface + each.param.member + std::to_string(each.index);
});

}  // namespace
}  // namespace berth::bustest
