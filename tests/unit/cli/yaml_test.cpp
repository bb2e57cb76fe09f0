#include "cli/output/yaml.hpp"

#include "cli/document.hpp"

#include <gtest/gtest.h>

namespace berth::cli {
namespace {

std::string shown(const std::string& text) { return yaml_scalar(text, 0, 2); }

TEST(Yaml, ShowsMembersInTheShapesOrderAndMapsByName) {
  const Json profile{{"name", "p"},
                     {"devices", {{"root", {{"type", "disk"}, {"path", "/"}}}}},
                     {"config", {{"user.b", "2"}, {"user.a", "x"}}},
                     {"used_by", {"/1.0/instances/c1"}}};
  EXPECT_EQ(yaml_text(profile, kProfile),
            "config:\n  user.a: x\n  user.b: \"2\"\n"
            "description: \"\"\n"
            "devices:\n  root:\n    path: /\n    type: disk\n"
            "name: p\n"
            "used_by:\n- /1.0/instances/c1\n");
}

TEST(Yaml, ShowsWhatIsAbsentAsEmpty) {
  EXPECT_EQ(yaml_text(Json::object(), kInstancePut),
            "architecture: \"\"\nconfig: {}\ndevices: {}\nephemeral: false\nprofiles: []\nstateful: "
            "false\ndescription: \"\"\n");
}

TEST(Yaml, ShowsListsOfObjects) {
  EXPECT_EQ(yaml_text(Json{{{"name", "a"}}, {{"name", "b"}, {"type", "container"}}}, kAlias),
            "- description: \"\"\n  target: \"\"\n  name: a\n  type: \"\"\n"
            "- description: \"\"\n  target: \"\"\n  name: b\n  type: container\n");
  EXPECT_EQ(yaml_text(Json::array(), kAlias), "[]\n");
}

TEST(Yaml, ShowsListsInLists) {
  EXPECT_EQ(yaml_text(Json{{"x", {{1, 2}, {{"k", {3}}}}}}), "x:\n- - 1\n  - 2\n- k:\n  - 3\n");
}

TEST(Yaml, ShowsTimesWithoutQuotesAndWhatIsNoTimeWithThem) {
  EXPECT_NE(
      yaml_text(Json{{"expires_at", "1970-01-01T00:00:00Z"}}, kImagePut).find("expires_at: 1970-01-01T00:00:00Z\n"),
      std::string::npos);
  EXPECT_NE(yaml_text(Json{{"expires_at", "\x1b[2J"}}, kImagePut).find("expires_at: \"\\e[2J\"\n"), std::string::npos);
}

TEST(Yaml, OrdersKeysLettersLastAndNumbersByValue) {
  EXPECT_EQ(yaml_text(Json{{"a10", 1}, {"a9", 1}, {"a_x", 1}, {"ab", 1}, {"A", 1}, {"a1b", 1}}),
            "A: 1\na_x: 1\na1b: 1\na9: 1\na10: 1\nab: 1\n");
}

TEST(YamlScalar, HasQuotesWhereAReaderWouldTakeItForSomethingElse) {
  for (const auto* text :
       {"", "true", "no", "12", "1.5e3", "0x1F", "0755", "1_000", "2026-01-02", "12:30:45", "~", "null", ".5"})
    EXPECT_EQ(shown(text), '"' + std::string(text) + '"');
}

TEST(YamlScalar, HasNoQuotesWhereItNeedsNone) {
  for (const auto* text :
       {"plain", "a:b", "a#b", "1.2.3", "10.0.0.1/24", "2GiB", "truely", "--x", "x?", ".", "a, b", "grün € 日本"})
    EXPECT_EQ(shown(text), text);
}

TEST(YamlScalar, HasSingleQuotesForIndicators) {
  for (const auto* text : {"*x", "a: b", "a #b", "{x}", "%x", "-", "end:", " lead", "trail "})
    EXPECT_EQ(shown(text), '\'' + std::string(text) + '\'');
  EXPECT_EQ(shown("'q'"), "'''q'''");
  EXPECT_EQ(shown("it's"), "it's");
}

TEST(YamlScalar, IsABlockWhenItHasLines) {
  EXPECT_EQ(shown("a\nb\n"), "|\n  a\n  b\n");
  EXPECT_EQ(shown("a\nb"), "|-\n  a\n  b");
  EXPECT_EQ(shown("a\n\n"), "|+\n  a\n\n");
}

TEST(YamlScalar, EscapesWhatATerminalWouldObey) {
  EXPECT_EQ(shown("a\x1b[0m\tb"), "\"a\\e[0m\\tb\"");
  EXPECT_EQ(shown("line\n\x07"), "\"line\\n\\a\"");
  EXPECT_EQ(shown("\xc2\x9b"), "\"\\x9B\"");
}

TEST(YamlScalar, FoldsAtABlankBeyondTheBestWidth) {
  const auto word = std::string(60, 'w');
  EXPECT_EQ(shown(word + ' ' + word + ' ' + word), word + ' ' + word + "\n  " + word);
  EXPECT_EQ(yaml_scalar(word + ' ' + word + ' ' + word, 0, 2, true), word + ' ' + word + ' ' + word);
}

TEST(Document, ReadsEveryScalarOfAMapOfTextsAsText) {
  const auto read = read_document(
      "config:\n  limits.cpu: 2\n  user.on: true\n  empty:\ndevices:\n  eth0: {mtu: 1500}\nprofiles: [default]\n",
      kInstanceDocument);
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, (Json{{"config", {{"limits.cpu", "2"}, {"user.on", "true"}, {"empty", ""}}},
                         {"devices", {{"eth0", {{"mtu", "1500"}}}}},
                         {"profiles", {"default"}}}));
}

TEST(Document, LeavesOutWhatCannotBePutBack) {
  const auto read = read_document("name: other\nused_by: []\ndescription: d\n", kProfilePut);
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, (Json{{"description", "d"}}));
}

TEST(Document, SaysInWhichLineItIsWrong) {
  const auto wrong = read_document("description: d\nconfig: [1]\n", kProfilePut);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message, "line 2: a map is expected here");
  EXPECT_FALSE(read_document("a: [b", kProfilePut));
  EXPECT_FALSE(read_document("- a", kProfilePut));
  EXPECT_FALSE(read_document("ephemeral: maybe", kInstancePut));
}

TEST(Document, ReadsBackWhatWasShown) {
  Json instance{{"architecture", "x86_64"}, {"description", "a: b\nc"}, {"devices", Json::object()},
                {"ephemeral", true},        {"profiles", {"default"}},  {"stateful", false}};
  int number = 0;
  for (const auto* text :
       {"", "true", "- a", "x\ny\n", "\ttab", "  two", "'", "\"", "\\", "#", "\n", "a\n\n", "\n\nb", "é\x1b",
        "long long long long long long long long long long long long long long long long long"})
    instance["config"]["user.k" + std::to_string(number++)] = text;
  const auto read = read_document(yaml_text(instance, kInstancePut), kInstancePut);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, instance);
}

}  // namespace
}  // namespace berth::cli
