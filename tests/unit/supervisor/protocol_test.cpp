#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/domain/supervisor_protocol.hpp"
#include "daemon/domain/unit_name.hpp"

namespace berth::supervisor {
namespace {

using ::testing::ElementsAre;

StartPlan some_plan() {
  StartPlan plan{.uuid = new_uuid(), .project = default_project(), .name = *InstanceName::parse("web")};
  plan.root = {.kind = RootSpec::Kind::Overlay, .plain = "", .lower = "/pool/image", .layer = "/pool/layer"};
  plan.idmap = IdMap{{{.uid = true, .inside = 0, .outside = 1000000, .count = 65536}}};
  plan.lxc_config = {{"lxc.uts.name", "web"}, {"lxc.environment", "A=1"}, {"lxc.environment", "B=\"2\""}};
  plan.log_file = "/log/lxc.log";
  plan.console_file = "/log/console.log";
  return plan;
}

TEST(AMessage, SurvivesItsWay) {
  Message sent{.type = std::string(type::kExec), .id = new_uuid().str()};
  sent.exec = ExecCommand{.command = {"sh", "-c", "a\nb"}, .environment = {{"K", "v\xff"}}, .uid = 4294967294U, .gid = 7,
                          .cwd = "/tmp", .deferred = true, .terminal = true, .width = 80, .height = 24, .lifeline = true};
  const auto got = decode(encode(sent));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->id, sent.id);
  ASSERT_TRUE(got->exec);
  EXPECT_EQ(got->exec->command, sent.exec->command);
  EXPECT_EQ(got->exec->environment, sent.exec->environment) << "bytes that are no UTF-8 included";
  EXPECT_EQ(got->exec->uid, 4294967294U);
  EXPECT_TRUE(got->exec->deferred);
  EXPECT_TRUE(got->exec->terminal);
  EXPECT_EQ(got->exec->height, 24);
  EXPECT_TRUE(got->exec->lifeline);
}

TEST(AMessage, OfALaterProtocolIsReadAsFarAsItIsKnown) {
  const auto got = decode(R"({"type":"running","id":"x","pid":"many","colour":"blue","value":3})");
  ASSERT_TRUE(got);
  EXPECT_EQ(got->type, "running");
  EXPECT_EQ(got->pid, 0) << "a field of another kind counts as absent";
  EXPECT_EQ(got->value, 3);
}

TEST(AMessage, ThatIsNoObjectIsRefused) {
  for (const char* text : {"", "7", "[]", "{", "null", "\"x\""}) {
    const auto got = decode(text);
    ASSERT_FALSE(got) << text;
    EXPECT_EQ(got.error().code, Code::InvalidArgument);
  }
}

TEST(AMessage, CarriesAnErrorWithItsCode) {
  const auto got = decode(encode(error_message(Error{Code::LimitsExceeded, "too many"})));
  ASSERT_TRUE(got);
  EXPECT_EQ(error_of(*got).code, Code::LimitsExceeded);
  EXPECT_EQ(error_of(*got).message, "too many");
}

TEST(APlan, SurvivesItsWay) {
  const StartPlan sent = some_plan();
  const auto got = decode_plan(encode_plan(sent));
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->uuid, sent.uuid);
  EXPECT_EQ(got->name, sent.name);
  EXPECT_EQ(got->idmap, sent.idmap);
  EXPECT_EQ(got->root.kind, RootSpec::Kind::Overlay);
  EXPECT_EQ(got->root.layer, "/pool/layer");
  EXPECT_EQ(got->lxc_config, sent.lxc_config);
  EXPECT_EQ(got->console_file, sent.console_file);
}

TEST(APlan, WithARootOfALaterKindIsNotSupported) {
  std::string text = encode_plan(some_plan());
  text.replace(text.find("\"overlay\""), 9, "\"erofs99\"");
  const auto got = decode_plan(text);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Code::NotSupported);
}

TEST(AnExitFile, SaysEachReason) {
  using Reason = ExitReport::Reason;
  for (const auto reason : {Reason::Stopped, Reason::Rebooted, Reason::StartFailed, Reason::Killed, Reason::HostShutdown}) {
    const auto got = decode_exit(encode_exit({reason, "two\nlines", Timestamp(std::chrono::microseconds(42))}));
    ASSERT_TRUE(got);
    EXPECT_EQ(got->reason, reason);
    EXPECT_EQ(got->message, "two\nlines");
    EXPECT_EQ(got->at.time_since_epoch().count(), 42);
  }
}

TEST(AUnitName, IsEscapedAsSystemdEscapesIt) {
  const auto name = *InstanceName::parse("web-1");
  EXPECT_EQ(container_unit_name(default_project(), name), "berth-container@web\\x2d1.service");
  EXPECT_EQ(container_unit_name(*ProjectName::parse("blue"), name), "berth-container@blue_web\\x2d1.service");
  for (const auto& project : {default_project(), *ProjectName::parse("blue"), *ProjectName::parse("very_blue-1")})
    EXPECT_EQ(container_of_unit(container_unit_name(project, name)), std::pair(project, name));
  for (const auto* other : {"", "berth-container@.service", "berth-container@web-1.service", "berth-container@w_.service",
                            "berth-container@\\x2.service", "berth-container@_web.service", "ssh.service"})
    EXPECT_FALSE(container_of_unit(other)) << other;
  EXPECT_EQ(escape_unit_part(".a/b"), "\\x2ea-b");
}

TEST(AUnitName, ThatIsTooLongIsHashed) {
  const auto name = *InstanceName::parse("a" + std::string(61, '-') + "b");
  const auto other = *InstanceName::parse("a" + std::string(61, '-') + "c");
  const auto project = *ProjectName::parse("p" + std::string(61, '-') + "q");
  const auto unit = container_unit_name(project, name);
  EXPECT_LE(unit.size(), 255U);
  EXPECT_TRUE(unit.ends_with(".service"));
  EXPECT_NE(unit, container_unit_name(project, other));
  EXPECT_TRUE(valid_unit_name(unit));
}

TEST(AUnitName, ThatWouldLeaveItsFolderIsNone) {
  for (const char* text : {"", ".", "..", "../x", "a/b", "a\nb"}) EXPECT_FALSE(valid_unit_name(text)) << text;
}

}  // namespace
}  // namespace berth::supervisor
