// Bodies and frames that were made to harm: the bridge refuses them and serves on.
#include <gtest/gtest.h>

#include <string>

#include "tests/rest/harness.hpp"

namespace berth::resttest {
namespace {

class HostileClients : public WithInstance {};

std::string nested(std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); }

TEST_F(HostileClients, CannotEndTheBridgeByABodyOfAMillionLevels_Rule20) {
  auto bystander = rest().client();
  EXPECT_EQ(bystander.request("GET", "/1.0").status, 200);
  for (const auto* body : {"state", "source", "config"})
    for (const auto& [method, url] : {std::pair{"PUT", "/1.0/instances"}, {"POST", "/1.0/instances"}, {"POST", "/1.0/images"}}) {
      const auto answer = rest().request(method, url, '{' + ('"' + std::string(body)) + R"(":{"a":)" + nested(1'000'000) + "}}");
      EXPECT_EQ(answer.status, 400) << method << ' ' << url << ' ' << body;
    }
  EXPECT_EQ(bystander.request("GET", "/1.0").status, 200) << "a connection from before lives on";
}

TEST_F(HostileClients, CannotEndTheBridgeByAFrameOfThousandsOfLevels_Rule20) {
  rest().make_running("deep");
  const auto made = rest().request("POST", "/1.0/instances/deep/exec", R"({"command":["/bin/cat"],"wait-for-websocket":true,"interactive":true})");
  ASSERT_EQ(made.status, 202) << made.body;
  auto control = rest().client();
  const auto secret = made.metadata()["metadata"]["fds"]["control"].get<std::string>();
  ASSERT_EQ(control.upgrade(made.headers.at("location") + "/websocket?secret=" + secret), 101);
  control.send_frame(1, R"({"command":"window-resize","args":{"width":)" + nested(30'000) + "}}");
  control.send_frame(9, "done");
  EXPECT_EQ(control.read_frame().opcode, 10) << "the frame is not looked at, and the next one is";
}

TEST_F(HostileClients, AreToldWhatOfTheirRequestIsNoText) {
  EXPECT_EQ(rest().request("GET", "/1.0/instances?project=%ff").status, 400);
  EXPECT_EQ(rest().request("POST", "/1.0/profiles", "{\"name\":\"p\",\"description\":\"\xef\xbf\xbf\"}").status, 400);
  EXPECT_EQ(rest().request("POST", "/1.0/images", "x", {"Content-Type: application/octet-stream", "X-LXD-properties: a=%ff"}).status, 400);
}

}  // namespace
}  // namespace berth::resttest
