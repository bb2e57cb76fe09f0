#include "cli/command.hpp"
#include "cli/commands/commands.hpp"
#include "cli/names.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace berth::cli {
namespace {

/// A small command line: a group, a command with every kind of flag.
class CommandLine : public ::testing::Test {
 protected:
  CommandLine() {
    const auto run = [](Context&, const Strings&) -> Result<int> { return 0; };
    Command work{
        .name = "work", .aliases = {"w"}, .arguments = "<thing>...", .summary = "Do it", .examples = "t work x"};
    work.flags = {{"-f,--force", &force_, "Force"},
                  {"-n,--name", &name_, "Name"},
                  {"--count", &count_, "Count"},
                  {"-c,--config", &config_, "Pairs"},
                  {"--console", Flag::Optional{.target = &console_, .value = "console"}, "Attach"}};
    work.most = Command::kAny;
    work.run = run;
    Command other{.name = "list", .summary = "List"};
    other.run = run;
    Command group{.name = "group", .summary = "Things"};
    group.commands = {other};
    root_ = {.name = "t",
             .summary = "Test",
             .commands = {work, other, group, Command{.name = "help", .most = Command::kAny}}};
  }

  Invocation good(const Strings& words) {
    auto parsed = parse_command_line(root_, globals_, words);
    EXPECT_TRUE(parsed) << parsed.error().message;
    return parsed ? *std::move(parsed) : Invocation{};
  }
  std::string bad(const Strings& words) {
    const auto parsed = parse_command_line(root_, globals_, words);
    EXPECT_FALSE(parsed);
    return parsed ? "" : parsed.error().message;
  }

  bool force_ = false;
  std::string name_, console_;
  int count_ = -1;
  Strings config_;
  Command root_;
  Globals globals_;
};

TEST_F(CommandLine, TakesFlagsAndArgumentsInAnyOrder) {
  const auto invocation =
      good({"work", "a", "-f", "b", "--name", "n", "--count", "-1", "-c", "k=v", "-c", "l=w", "--name=last"});
  EXPECT_EQ(invocation.path.back()->name, "work");
  EXPECT_EQ(invocation.arguments, (Strings{"a", "b"}));
  EXPECT_TRUE(force_);
  EXPECT_EQ(name_, "last");
  EXPECT_EQ(count_, -1);
  EXPECT_EQ(config_, (Strings{"k=v", "l=w"}));
}

TEST_F(CommandLine, LeavesEverythingBehindTwoDashesAlone) {
  EXPECT_EQ(good({"work", "a", "--", "ls", "-f", "--name", "--", "x"}).arguments,
            (Strings{"a", "ls", "-f", "--name", "--", "x"}));
  EXPECT_FALSE(force_);
}

TEST_F(CommandLine, TakesAnArgumentThatIsACommandsNameAsAnArgument) {
  EXPECT_EQ(good({"work", "list", "group", "work"}).arguments, (Strings{"list", "group", "work"}));
}

TEST_F(CommandLine, TakesGlobalFlagsBeforeAndAfterTheCommand) {
  good({"--project", "p", "work", "-q", "--force-local", "--debug"});
  EXPECT_EQ(globals_.project, "p");
  EXPECT_TRUE(globals_.quiet);
  EXPECT_TRUE(globals_.debug);
}

TEST_F(CommandLine, TakesAnOptionalValueOnlyWithAnEqualsSign) {
  EXPECT_EQ(good({"work", "--console", "a"}).arguments, (Strings{"a"}));
  EXPECT_EQ(console_, "console");
  good({"work", "--console=vga"});
  EXPECT_EQ(console_, "vga");
}

TEST_F(CommandLine, KnowsAliasesAndASingleDash) { EXPECT_EQ(good({"w", "-"}).arguments, (Strings{"-"})); }

TEST_F(CommandLine, KeepsValuesThatLookLikeLists) {
  good({"work", "-c", "[a,b]", "--name", "[x]"});
  EXPECT_EQ(config_, (Strings{"[a,b]"}));
  EXPECT_EQ(name_, "[x]");
}

TEST_F(CommandLine, NamesAnUnknownCommand) {
  EXPECT_EQ(bad({"nonsense"}), "unknown command \"nonsense\" for \"t\"");
  EXPECT_EQ(bad({"group", "nonsense"}), "unknown command \"nonsense\" for \"t group\"");
  EXPECT_EQ(bad({"help", "nonsense"}), "unknown command \"nonsense\" for \"t\"");
}

TEST_F(CommandLine, DoesNotPassOverACommandThatItDoesNotKnow) {
  EXPECT_EQ(bad({"nonsense", "work", "x"}), "unknown command \"nonsense\" for \"t\"");
  EXPECT_EQ(bad({"-q", "--project", "work", "nonsense", "work"}), "unknown command \"nonsense\" for \"t\"");
  EXPECT_EQ(bad({"group", "nonsense", "list"}), "unknown command \"nonsense\" for \"t group\"");
  EXPECT_EQ(good({"--project", "nonsense", "work", "list"}).arguments, Strings{"list"});
}

TEST_F(CommandLine, NamesAnUnknownFlag) {
  EXPECT_EQ(bad({"work", "--nope=1"}), "unknown flag: --nope");
  EXPECT_EQ(bad({"work", "-z"}), "unknown shorthand flag: 'z' in -z");
}

TEST_F(CommandLine, RefusesANumberThatIsNone) { EXPECT_NE(bad({"work", "--count", "many"}), ""); }

TEST_F(CommandLine, ShowsHelpOfTheCommandThatIsAskedFor) {
  EXPECT_TRUE(good({"work", "--help"}).help);
  const auto asked = good({"help", "group", "list"});
  EXPECT_TRUE(asked.help);
  EXPECT_EQ(asked.path.back()->name, "list");
  const auto text = help_text(good({"work", "-h"}).path);
  for (const auto* part : {"Do it", "t work <thing>... [flags]", "work, w", "-f, --force", "--console[=\"console\"]",
                           "Examples:", "Global Flags:"})
    EXPECT_NE(text.find(part), std::string::npos) << part;
}

/// Calls `look` with every command and its path.
void walk(const Command& command, const std::string& path,
          const std::function<void(const Command&, const std::string&)>& look) {
  look(command, path);
  for (const auto& child : command.commands) walk(child, path + ' ' + child.name, look);
}

TEST(Commands, HaveASummaryAndAnExampleEach) {
  walk(root_command(), "berth", [](const Command& command, const std::string& path) {
    EXPECT_FALSE(command.summary.empty()) << path;
    if (!command.run) return;
    EXPECT_FALSE(command.examples.empty()) << path;
    EXPECT_TRUE(command.commands.empty()) << path;
  });
}

TEST(Commands, ShowExamplesOfThemselves) {
  walk(root_command(), "berth", [](const Command& command, const std::string& path) {
    if (!command.run) return;
    EXPECT_NE(command.examples.find(path), std::string::npos) << path << ": " << command.examples;
  });
}

TEST(Names, OfSnapshotsHaveASlash) {
  EXPECT_EQ(instance_path("web"), "/1.0/instances/web");
  EXPECT_EQ(instance_path("web/be fore"), "/1.0/instances/web/snapshots/be%20fore");
  EXPECT_TRUE(is_snapshot_name("web/x"));
  EXPECT_FALSE(is_snapshot_name("web"));
}

TEST(Names, AreFoundInUrls) {
  EXPECT_EQ(name_in_url("/1.0/instances/web?project=x"), "web");
  EXPECT_EQ(name_in_url("/1.0/images/aliases/a%2Fb"), "a/b");
}

TEST(Names, ArePercentEncodedInPaths) {
  EXPECT_EQ(api_path("instances", "a/b?c"), "/1.0/instances/a%2Fb%3Fc");
  EXPECT_EQ(api_path("instances", ".."), "/1.0/instances/..");
}

TEST(Settings, AreInTheOldFormOrTheNewOne) {
  using Pairs = std::vector<Pair>;
  EXPECT_EQ(*settings_of({"limits.cpu", "2"}), (Pairs{{"limits.cpu", "2"}}));
  EXPECT_EQ(*settings_of({"user.x", "a=b"}), (Pairs{{"user.x", "a=b"}}));
  EXPECT_EQ(*settings_of({"a=1", "b=x=y"}), (Pairs{{"a", "1"}, {"b", "x=y"}}));
  EXPECT_FALSE(settings_of({"a"}));
  EXPECT_FALSE(settings_of({"a=1", "b", "c"}));
}

}  // namespace
}  // namespace berth::cli
