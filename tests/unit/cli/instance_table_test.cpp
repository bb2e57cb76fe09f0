#include "cli/instance_table.hpp"

#include <gtest/gtest.h>

namespace berth::cli {
namespace {

Json running() {
  return {{"name", "web"},
          {"status", "Running"},
          {"type", "container"},
          {"architecture", "x86_64"},
          {"ephemeral", true},
          {"location", "none"},
          {"profiles", {"default", "limits"}},
          {"config", {{"user.comment", "two\nlines\x1b"}, {"volatile.base_image", std::string(64, 'a')}}},
          {"expanded_config", {{"user.comment", "mine"}, {"limits.memory", "2KiB"}, {"security.privileged", "true"}}},
          {"devices", Json::object()},
          {"expanded_devices", {{"root", {{"type", "disk"}, {"path", "/"}, {"pool", "fast"}}}}},
          {"state",
           {{"pid", 42},
            {"processes", 7},
            {"memory", {{"usage", 1024}}},
            {"cpu", {{"usage", 2'500'000'000}}},
            {"disk", {{"root", {{"usage", 4096}}}}},
            {"network",
             {{"eth0",
               {{"type", "broadcast"},
                {"addresses",
                 {{{"family", "inet"}, {"address", "10.0.0.2"}, {"scope", "global"}},
                  {{"family", "inet6"}, {"address", "fe80::1"}, {"scope", "link"}},
                  {{"family", "inet6"}, {"address", "fd00::2"}, {"scope", "global"}}}}}},
              {"lo",
               {{"type", "loopback"},
                {"addresses", {{{"family", "inet"}, {"address", "127.0.0.1"}, {"scope", "local"}}}}}}}}}}};
}

std::string cell(const std::string& column, const Json& instance) {
  const auto columns = parse_columns(column);
  EXPECT_TRUE(columns) << column;
  return columns ? columns->front().cell(instance) : "";
}

TEST(InstanceColumns, TellOfARunningInstance) {
  const auto web = running();
  EXPECT_EQ(cell("n", web), "web");
  EXPECT_EQ(cell("s", web), "RUNNING");
  EXPECT_EQ(cell("t", web), "CONTAINER (EPHEMERAL)");
  EXPECT_EQ(cell("4", web), "10.0.0.2 (eth0)");
  EXPECT_EQ(cell("6", web), "fd00::2 (eth0)");
  EXPECT_EQ(cell("p", web), "42");
  EXPECT_EQ(cell("N", web), "7");
  EXPECT_EQ(cell("P", web), "default\nlimits");
  EXPECT_EQ(cell("b", web), "fast");
  EXPECT_EQ(cell("f", web), "aaaaaaaaaaaa");
  EXPECT_EQ(cell("m", web), "1.00KiB");
  EXPECT_EQ(cell("M", web), "50.0%");
  EXPECT_EQ(cell("u", web), "2s");
  EXPECT_EQ(cell("D", web), "4.00KiB");
}

TEST(InstanceColumns, AreEmptyWhereAStoppedInstanceHasNothing) {
  auto web = running();
  web["status"] = "Stopped";
  for (const auto* column : {"4", "6", "p", "N", "m", "u"}) EXPECT_EQ(cell(column, web), "") << column;
}

TEST(InstanceColumns, DoNotFallOverStrangeAnswers) {
  for (const auto& strange : {Json(), Json("text"), Json::array(),
                              Json{{"status", "Running"}, {"state", 7}, {"profiles", "x"}, {"expanded_devices", 1}}})
    for (const auto* column :
         {"n", "s", "t", "4", "6", "p", "N", "P", "b", "f", "m", "M", "u", "D", "S", "c", "l", "user.x", "devices:a.b"})
      cell(column, strange);
}

TEST(InstanceColumns, CanBeKeysWithANameAndAWidth) {
  const auto columns = parse_columns("ns,user.comment:COMMENT,devices:root.pool,config:limits.memory::3,image.os:X:0");
  ASSERT_TRUE(columns);
  ASSERT_EQ(columns->size(), 6U);
  EXPECT_EQ((*columns)[2].name, "COMMENT");
  EXPECT_EQ((*columns)[2].cell(running()), "two\nlines\\x1b");
  EXPECT_EQ((*columns)[3].cell(running()), "fast");
  EXPECT_EQ((*columns)[4].cell(running()), "2Ki");
}

TEST(InstanceColumns, RefuseWhatTheyDoNotKnow) {
  for (const auto* text : {"z", "n,", "", "L", "a.b:c:d:e", "a.b:", "a.b:c:x", "a.b:c:-2"})
    EXPECT_FALSE(parse_columns(text)) << text;
}

TEST(InstanceFilter, TakesTheBeginningOfANameOrARegularExpression) {
  EXPECT_TRUE(is_shown({}, running()));
  EXPECT_TRUE(is_shown({"we"}, running()));
  EXPECT_FALSE(is_shown({"eb"}, running()));
  EXPECT_TRUE(is_shown({"eb$"}, running()));
  EXPECT_TRUE(is_shown({"^w.b$"}, running()));
  EXPECT_FALSE(is_shown({"["}, running()));
}

TEST(InstanceFilter, TakesAbbreviatedKeysOfTheExpandedConfiguration) {
  EXPECT_TRUE(is_shown({"user.comment=mine"}, running()));
  EXPECT_TRUE(is_shown({"u.c=mi.*"}, running()));
  EXPECT_TRUE(is_shown({"s.privileged=true"}, running()));
  EXPECT_FALSE(is_shown({"u.c=min"}, running()));
  EXPECT_FALSE(is_shown({"nope=mine"}, running()));
}

TEST(InstanceFilter, KnowsWordsOfItsOwn) {
  EXPECT_TRUE(is_shown({"status=running,stopped", "type=CONTAINER", "architecture=x86_64"}, running()));
  EXPECT_FALSE(is_shown({"status=stopped"}, running()));
  EXPECT_TRUE(is_shown({"ipv4=10.0.0.0/24"}, running()));
  EXPECT_TRUE(is_shown({"ipv4=10.0.0.2"}, running()));
  EXPECT_FALSE(is_shown({"ipv4=10.0.1.0/24"}, running()));
  EXPECT_TRUE(is_shown({"ipv6=fd00::/8"}, running()));
  EXPECT_FALSE(is_shown({"ipv4=nonsense"}, running()));
}

TEST(InstanceFilter, WantsEveryOneOfSeveral) {
  EXPECT_TRUE(is_shown({"web", "status=running"}, running()));
  EXPECT_FALSE(is_shown({"web", "status=frozen"}, running()));
}

}  // namespace
}  // namespace berth::cli
