#include <gtest/gtest.h>

#include "rest-bridge/api/instance_rows.hpp"
#include "tests/support/instance_lines.hpp"

namespace berth::rest {
namespace {

/// A row as the daemon writes it, with a field for each rule.
Json row(const std::string& name) {
  return {{"name", name},
          {"project", "default"},
          {"uuid", "c0ffee00-0000-4000-8000-000000000000"},
          {"owner_uid", 0},
          {"revision", 7},
          {"location", ""},
          {"description", "a \"quoted\"\nline, \u00e4 and \\"},
          {"created_at", 1'700'000'000'120'000U},
          {"last_used_at", 0},
          {"ephemeral", false},
          {"profiles", {"default", "more"}},
          {"config", {{"volatile.base_image", "b0"}, {"user.created_at", "text"}}},
          {"devices", Json::object()},
          {"expanded_devices", {{"root", {{"path", "/"}, {"pool", "default"}}}}},
          {"status_code", 103}};
}

Json snapshot() {
  return {{"name", "snap0"}, {"uuid", "c0ffee00-0000-4000-8000-000000000001"}, {"revision", 1},
          {"created_at", 1'700'000'000'000'000U}, {"last_used_at", 0}, {"expires_at", 0}, {"config", Json::object()}};
}

/// Both forms, of which one is for single objects, must show the same.
void expect_same(const Json& rows, bool full) {
  auto expected = Json::array();
  for (const auto& one : rows) expected.push_back(shown_instance(one, full));
  const auto text = shown_instances(instance_lines(rows), full);
  ASSERT_TRUE(text);
  EXPECT_EQ(Json::parse(*text), expected);
}

TEST(InstanceRows, AreShownWhileTheyAreReadAsTheyAreOneByOne) {
  expect_same(Json::array(), false);
  expect_same(Json::array({row("web")}), false);
  expect_same(Json::array({row("web"), row("db")}), false);
}

TEST(InstanceRows, InFullShowTheirStateAndSnapshots) {
  auto stopped = row("stopped");
  stopped["state"] = {{"status", "Stopped"}, {"pid", 0}, {"disk", Json::object()}, {"network", Json::object()}};
  stopped["snapshots"] = Json::array();
  stopped["backups"] = Json::array();
  auto running = row("running");
  running["state"] = {{"pid", 12}, {"cpu", {{"usage", 12345678901234U}}}, {"memory", Json::object()},
                      {"network", {{"lo", {{"addresses", Json::array()}, {"mtu", -1}, {"network", Json::object()}}}}}};
  running["snapshots"] = Json::array({snapshot(), snapshot()});
  running["backups"] = Json::array({snapshot()});
  expect_same(Json::array({stopped, running}), true);
  expect_same(Json::array({running, stopped}), true);
  expect_same(Json::array({running}), false);
}

TEST(AnOnlyInstance, HasATagOfWhatAPutChangesAndItsRevision) {
  auto one = row("web");
  one["state"] = {{"network", Json::object()}};
  one["snapshots"] = Json::array();
  one["backups"] = Json::array();
  const auto tag_of = [](const Json& changed, bool full) {
    const auto shown = shown_only_instance(Json::array({changed}).dump(), full);
    EXPECT_TRUE(shown && *shown);
    EXPECT_EQ(Json::parse((*shown)->text), shown_instance(changed, full));
    EXPECT_EQ((*shown)->revision, changed["revision"]);
    return (*shown)->etag;
  };
  const auto tag = tag_of(one, false);
  EXPECT_EQ(tag.size(), 64U);
  EXPECT_EQ(tag_of(one, true), tag);
  for (const auto* same : {"description", "status_code", "revision", "last_used_at"}) {
    auto changed = one;
    changed[same] = same == std::string("description") ? Json("other") : Json(99U);
    EXPECT_EQ(tag_of(changed, false), tag) << same;
  }
  for (const auto* other : {"config", "devices", "profiles", "ephemeral"}) {
    auto changed = one;
    changed[other] = other == std::string("ephemeral") ? Json(true) : Json::object();
    if (other == std::string("devices")) changed[other] = {{"eth0", Json::object()}};
    EXPECT_NE(tag_of(changed, false), tag) << other;
  }
}

TEST(AnOnlyInstance, ThatIsNotThereIsNothing) {
  const auto none = shown_only_instance("[]", false);
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
}

TEST(InstanceRows, AreShownAsTheyAreNowAndNotAsTheyWere) {
  auto one = row("web");
  expect_same(Json::array({one}), false);
  one["status_code"] = 102;
  expect_same(Json::array({one, row("db")}), false);
  one["config"]["user.new"] = "x";
  expect_same(Json::array({row("db"), one}), false);
  expect_same(Json::array({one, row("web")}), false);
}

TEST(InstanceRows, ThatAreMoreThanAreKeptAreShownAllTheSame) {
  auto rows = Json::array();
  for (int i = 0; i < 40; ++i) {
    rows.push_back(row("big" + std::to_string(i)));
    rows.back()["config"]["user.data"] = std::string(300'000, static_cast<char>('a' + i % 26));
  }
  expect_same(rows, false);
  expect_same(rows, false);
}

TEST(InstanceRows, ThatAreNotAsTheDaemonWritesThemAreAnError) {
  for (const auto* bad : {"", "[", "[{]", "[{}", "nothing", "[\n", "[\n{", "[\n{\"a\":1\n]", "[\n{\"a\":1\n,\"b\":}\n]",
                          "[\n{\"a\"\n,\"b\":1}\n]", "[\n{\"a\":1\n,\"b\":1}\n", "[\n\"a\":1\n,\"b\":1}\n]"})
    EXPECT_FALSE(shown_instances(bad, false)) << bad;
}

}  // namespace
}  // namespace berth::rest
