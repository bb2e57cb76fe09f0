#include "cli/complete.hpp"

#include "cli/commands/commands.hpp"
#include "cli/context.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace berth::cli {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Not;

/// What is offered without any server.
class Completion : public ::testing::Test {
 protected:
  Completion() {
    ::setenv("BERTH_CONF", "/nonexistent", 1);
    ::setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent", 1);
  }
  Candidates of(const Strings& words) {
    Context context(globals_);
    return complete(context, root_, words);
  }
  Globals globals_;
  Command root_ = root_command();
};

TEST_F(Completion, OffersCommandsThatBeginSo) {
  EXPECT_EQ(of({"sna"}).words, Strings{"snapshot"});
  EXPECT_THAT(of({""}).words, Contains("launch"));
  EXPECT_EQ(of({"image", "al"}).words, Strings{"alias"});
  EXPECT_THAT(of({"nonsense", ""}).words, Contains("launch"));
}

TEST_F(Completion, OffersFlagsOfTheCommandAndOfAll) {
  EXPECT_EQ(of({"launch", "--prof"}).words, Strings{"--profile"});
  EXPECT_EQ(of({"launch", "--proj"}).words, Strings{"--project"});
  EXPECT_THAT(of({"list", "-"}).words, Contains("-c"));
}

TEST_F(Completion, OffersValuesOfFlags) {
  EXPECT_EQ(of({"list", "--format", "c"}).words, (Strings{"compact", "csv"}));
  EXPECT_EQ(of({"list", "--format=c"}).words, (Strings{"--format=compact", "--format=csv"}));
  EXPECT_THAT(of({"launch", "x", "-c", "limits.m"}).words, Contains("limits.memory="));
  EXPECT_THAT(of({"list", "-f", "csv", "--fo"}).words, Contains("--format"));
}

TEST_F(Completion, OffersRemotesWhereOneMayStand) {
  EXPECT_EQ(of({"start", "lo"}).words, Strings{"local:"});
  EXPECT_EQ(of({"remote", "switch", ""}).words, Strings{"local"});
  EXPECT_THAT(of({"image", "copy", "x", ""}).words, Contains("local:"));
}

TEST_F(Completion, LeavesFilesToTheShell) {
  EXPECT_TRUE(of({"image", "import", ""}).files);
  EXPECT_TRUE(of({"file", "push", ""}).files);
  EXPECT_TRUE(of({"file", "mount", "web/srv", ""}).files);
  EXPECT_TRUE(of({"exec", "web", "--", ""}).files);
  EXPECT_FALSE(of({"start", ""}).files);
}

TEST_F(Completion, OffersNothingBeyondTheLastArgument) {
  EXPECT_THAT(of({"shell", "web", ""}).words, IsEmpty());
  EXPECT_THAT(of({"start", "a", "b", "lo"}).words, Not(IsEmpty()));
  EXPECT_THAT(of({}).words, IsEmpty());
}

TEST(UsageLines, SayWhichKindAnArgumentIs) {
  const auto copy = argument_kinds("[<remote>:]<source>[/<snapshot>] [[<remote>:]<destination>]");
  ASSERT_EQ(copy.size(), 2U);
  EXPECT_EQ(copy[0].name, "source");
  EXPECT_TRUE(copy[0].has_remote && copy[0].has_snapshot && !copy[0].repeats);
  EXPECT_EQ(copy[1].name, "destination");
  const auto push = argument_kinds("<source path>... [<remote>:]<instance>/<path>");
  ASSERT_EQ(push.size(), 2U);
  EXPECT_EQ(push[0].name, "source path");
  EXPECT_TRUE(push[0].repeats && push[1].has_path);
  const auto set = argument_kinds("[<remote>:][<instance>] <key>=<value>...");
  ASSERT_EQ(set.size(), 2U);
  EXPECT_EQ(set[0].name, "instance");
  EXPECT_EQ(set[1].name, "key");
  EXPECT_EQ(argument_kinds("[<remote>:]")[0].name, "remote");
  EXPECT_TRUE(argument_kinds("").empty());
}

/// Every argument of every command is of a kind that somebody has thought of: a new word in a usage line is a typing
/// mistake, or wants its completion.
TEST(UsageLines, HaveKindsThatAreKnown) {
  const Strings known{"instance",
                      "source",
                      "destination",
                      "snapshot",
                      "snapshot name",
                      "image",
                      "alias",
                      "profile",
                      "profiles",
                      "project",
                      "pool",
                      "operation",
                      "fingerprint",
                      "key",
                      "value",
                      "device",
                      "template",
                      "remote",
                      "target",
                      "path",
                      "source path",
                      "target path",
                      "backup file",
                      "cert",
                      "name",
                      "new-name",
                      "instance name",
                      "old alias",
                      "new alias",
                      "type",
                      "command line",
                      "API path",
                      "filter",
                      "filters",
                      "rootfs tarball",
                      "tarball",
                      "URL",
                      "IP|FQDN|URL|token",
                      "image-path",
                      ""};
  const std::function<void(const Command&)> walk = [&](const Command& command) {
    for (const auto& kind : argument_kinds(command.arguments))
      EXPECT_THAT(known, Contains(kind.name)) << command.name << ": " << command.arguments;
    for (const auto& child : command.commands) walk(child);
  };
  walk(root_command());
}

}  // namespace
}  // namespace berth::cli
