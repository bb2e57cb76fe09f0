#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "tests/rest/harness.hpp"

namespace berth::resttest {
namespace {

class Rest : public WithInstance {};

TEST_F(Rest, EverySyncAnswerHasTheSevenMembers) {
  const auto answer = rest().request("GET", "/1.0/instances");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.at("content-type"), "application/json");
  const auto body = answer.json();
  EXPECT_EQ(body.size(), 7U);
  EXPECT_EQ(body["type"], "sync");
  EXPECT_EQ(body["status"], "Success");
  EXPECT_EQ(body["status_code"], 200);
  EXPECT_EQ(body["operation"], "");
  EXPECT_EQ(body["error_code"], 0);
  EXPECT_EQ(body["error"], "");
  EXPECT_TRUE(answer.body.ends_with("}\n"));
}

TEST_F(Rest, AnErrorHasSevenMembersAndForbidsSniffing) {
  const auto answer = rest().request("GET", "/1.0/instances/nope");
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.headers.at("x-content-type-options"), "nosniff");
  EXPECT_EQ(answer.json(), Json::parse(R"({"type":"error","status":"","status_code":0,"operation":"","error_code":404,
    "error":"Instance not found","metadata":null})"));
}

/// Requests to a real LXD 5.0.2 and what it answered: the shape, the code and the headers must be the same.
TEST_F(Rest, AnswersAsTheRecordingsOfLxd502) {
  std::ifstream file(RECORDINGS);
  ASSERT_TRUE(file) << RECORDINGS;
  std::string line;
  int count = 0;
  std::map<std::string, std::string> tags;
  while (std::getline(file, line)) {
    const auto record = Json::parse(line);
    const auto& request = record["request"];
    const auto url = request["url"].get<std::string>();
    SCOPED_TRACE(request["method"].get<std::string>() + " " + url + " " + request["body"].dump());
    const auto body = request["body"].is_null() ? "" : request["body"].dump();
    std::vector<std::string> headers;
    for (const auto& [name, value] : request["headers"].items()) headers.push_back(name + ": " + value.get<std::string>());
    const auto answer = rest().request(request["method"], url, body, headers);
    EXPECT_EQ(answer.status, record["status"]);
    for (const auto& [name, value] : record["headers"].items()) {
      if (name == "Content-Type") {
        EXPECT_EQ(answer.headers.at("content-type"), value);
      }
      if (name == "X-Content-Type-Options") {
        EXPECT_EQ(answer.headers.at("x-content-type-options"), value);
      }
      if (name == "Etag") {
        EXPECT_EQ(answer.headers.at("etag").size(), value.get<std::string>().size());
      }
      if (name == "Location" && record["status"] == 201) {
        EXPECT_EQ(answer.headers.at("location"), value);
      }
      if (name == "Location" && record["status"] == 202) {
        EXPECT_TRUE(answer.headers.at("location").starts_with("/1.0/operations/"));
      }
    }
    if (record["body"].is_object()) {
      const auto given = answer.json();
      std::set<std::string> wanted, got;
      for (const auto& [name, value] : record["body"].items()) wanted.insert(name);
      for (const auto& [name, value] : given.items()) got.insert(name);
      EXPECT_EQ(got, wanted);
      EXPECT_EQ(given["type"], record["body"]["type"]);
      EXPECT_EQ(given["error_code"], record["body"]["error_code"]);
      const auto& theirs = record["body"]["metadata"];
      if (theirs.is_object() && !theirs.empty() && given["metadata"].is_object()) {
        for (const auto& [name, value] : theirs.items()) {
          EXPECT_TRUE(given["metadata"].contains(name)) << "no member " << name;
        }
      }
      EXPECT_EQ(given["metadata"].type_name(), std::string(theirs.type_name()));
    }
    if (answer.status == 202) rest().request("GET", answer.headers.at("location") + "/wait");
    ++count;
  }
  EXPECT_GE(count, 30);
}

TEST_F(Rest, AnOperationIsReadableAfterItsEndAndWaitsForIt) {
  auto client = rest().client();
  const auto accepted = client.request("POST", "/1.0/containers", R"({"name":"waits","source":{"type":"none"}})");
  ASSERT_EQ(accepted.status, 202);
  const auto operation = accepted.metadata();
  EXPECT_EQ(operation["status_code"], 103);
  EXPECT_EQ(operation["resources"], Json::parse(R"({"containers":["/1.0/containers/waits"],"instances":["/1.0/instances/waits"]})"));
  EXPECT_EQ(operation["metadata"], nullptr);
  EXPECT_EQ(client.request("GET", accepted.headers.at("location") + "/wait?timeout=0").metadata()["status_code"], 103);
  EXPECT_EQ(client.request("GET", accepted.headers.at("location") + "/wait").metadata()["status"], "Success");
  EXPECT_EQ(client.request("GET", accepted.headers.at("location")).metadata()["status_code"], 200);
  EXPECT_EQ(client.request("GET", "/1.0/containers").metadata()[0].get<std::string>().substr(0, 16), "/1.0/containers/");
}

TEST_F(Rest, APatchIsSynchronousAndTellsOfALateFailure) {
  rest().run("POST", "/1.0/instances", R"({"name":"patched","source":{"type":"none"},"config":{"user.a":"1"}})");
  EXPECT_EQ(rest().request("PATCH", "/1.0/instances/patched", R"({"config":{"user.b":"2"}})").body,
            "{\"type\":\"sync\",\"status\":\"Success\",\"status_code\":200,\"operation\":\"\",\"error_code\":0,\"error\":\"\",\"metadata\":{}}\n");
  EXPECT_EQ(rest().request("GET", "/1.0/instances/patched").metadata()["config"], Json::parse(R"({"user.a":"1","user.b":"2"})"));
  const auto late = rest().request("PATCH", "/1.0/instances/patched", R"({"description":"fail"})");
  EXPECT_EQ(late.status, 500);
  EXPECT_EQ(late.json()["error"], "this change fails late");
}

TEST_F(Rest, AnEtagThatIsOldIsRefused) {
  rest().run("POST", "/1.0/instances", R"({"name":"tagged","source":{"type":"none"}})");
  const auto before = rest().request("GET", "/1.0/instances/tagged").headers.at("etag");
  EXPECT_EQ(rest().request("PATCH", "/1.0/instances/tagged", R"({"config":{"user.a":"1"}})", {"If-Match: " + before}).status, 200);
  const auto refused = rest().request("PATCH", "/1.0/instances/tagged", R"({"config":{"user.a":"2"}})", {"If-Match: " + before});
  EXPECT_EQ(refused.status, 412);
  EXPECT_TRUE(refused.json()["error"].get<std::string>().starts_with("ETag doesn't match: "));
}

TEST_F(Rest, AnExecOverPipesFramesItsStreams) {
  rest().make_running("pipes");
  auto client = rest().client();
  const auto made = client.request("POST", "/1.0/instances/pipes/exec",
      R"({"command":["/bin/sh","-c","cat; echo err >&2; exit 3"],"wait-for-websocket":true,"interactive":false})");
  ASSERT_EQ(made.status, 202) << made.body;
  const auto fds = made.metadata()["metadata"]["fds"];
  ASSERT_EQ(fds.size(), 4U);
  EXPECT_EQ(fds["0"].get<std::string>().size(), 64U);
  const auto base = made.headers.at("location");
  auto in = rest().client(), out = rest().client(), err = rest().client(), control = rest().client();
  for (auto [name, socket] : {std::pair{"0", &in}, {"1", &out}, {"2", &err}, {"control", &control}})
    ASSERT_EQ(socket->upgrade(base + "/websocket?secret=" + fds[name].get<std::string>()), 101);
  in.send_frame(2, "hello\n");
  in.send_frame(1, "");
  auto frame = out.read_frame();
  EXPECT_EQ(frame.opcode, 2);
  EXPECT_EQ(frame.payload, "hello\n");
  frame = out.read_frame();
  EXPECT_EQ(frame.opcode, 1);
  EXPECT_EQ(frame.payload, "");
  EXPECT_EQ(err.read_frame().payload, "err\n");
  EXPECT_EQ(err.read_frame().opcode, 1);
  EXPECT_EQ(control.read_frame().opcode, 8);
  const auto end = client.request("GET", base + "/wait").metadata();
  EXPECT_EQ(end["metadata"]["return"], 3);
  EXPECT_EQ(end["status"], "Success");
}

TEST_F(Rest, ATerminalFollowsTheWindowSize) {
  rest().make_running("terminal");
  auto client = rest().client();
  const auto made = client.request("POST", "/1.0/instances/terminal/exec",
      R"({"command":["/bin/sh","-c","read line; stty size; exit 4"],"wait-for-websocket":true,"interactive":true,"width":80,"height":24})");
  ASSERT_EQ(made.status, 202) << made.body;
  const auto fds = made.metadata()["metadata"]["fds"];
  const auto base = made.headers.at("location") + "/websocket?secret=";
  auto terminal = rest().client(), control = rest().client();
  ASSERT_EQ(control.upgrade(base + fds["control"].get<std::string>()), 101);
  control.send_frame(1, R"({"command":"window-resize","args":{"width":"100","height":"30"}})");
  ASSERT_EQ(terminal.upgrade(base + fds["0"].get<std::string>()), 101);
  // The size is set before the line is sent: the answer to a second frame says that the first was worked on.
  control.send_frame(9, "done");
  EXPECT_EQ(control.read_frame().opcode, 10);
  terminal.send_frame(2, "go\n");
  std::string shown;
  for (auto frame = terminal.read_frame(); frame.opcode == 2; frame = terminal.read_frame()) shown += frame.payload;
  EXPECT_NE(shown.find("30 100"), std::string::npos) << shown;
  EXPECT_EQ(client.request("GET", made.headers.at("location") + "/wait").metadata()["metadata"]["return"], 4);
}

TEST_F(Rest, ASignalReachesTheCommandAndADeadClientKillsIt) {
  rest().make_running("signals");
  for (const bool polite : {true, false}) {
    auto client = rest().client();
    const auto made = client.request("POST", "/1.0/instances/signals/exec", R"({"command":["/bin/sleep","60"],"wait-for-websocket":true})");
    const auto fds = made.metadata()["metadata"]["fds"];
    const auto base = made.headers.at("location") + "/websocket?secret=";
    auto in = rest().client(), out = rest().client(), err = rest().client();
    std::optional<HttpClient> control(rest().client());
    ASSERT_EQ(control->upgrade(base + fds["control"].get<std::string>()), 101);
    ASSERT_EQ(in.upgrade(base + fds["0"].get<std::string>()), 101);
    ASSERT_EQ(out.upgrade(base + fds["1"].get<std::string>()), 101);
    ASSERT_EQ(err.upgrade(base + fds["2"].get<std::string>()), 101);
    // A signal to a command that does not run yet would be lost: ask until it is taken.
    Json end;
    do {
      if (polite)
        control->send_frame(1, R"({"command":"signal","signal":15})");
      else {
        // As when a process ends: its streams go first, and then the one that tells.
        for (auto* stream : {&in, &out, &err}) *stream = rest().client();
        control.reset();
      }
      end = client.request("GET", made.headers.at("location") + "/wait?timeout=" + (polite ? "1" : "30")).metadata();
    } while (polite && end["status_code"] == 103);
    EXPECT_EQ(end["metadata"]["return"], polite ? 143 : 137);
  }
}

TEST_F(Rest, AMigrationGoesToAnotherProjectAndNowhereElse) {
  rest().make_running("mover");
  const auto post = [&](const std::string& body) { return rest().request("POST", "/1.0/instances/mover", body); };
  EXPECT_EQ(post(R"({"migration":true})").status, 501);
  EXPECT_EQ(post(R"({"migration":true,"pool":"other"})").status, 501);
  EXPECT_EQ(post(R"({"migration":true,"project":"web","instance_only":true})").status, 501);
  EXPECT_EQ(post(R"({"migration":true,"project":5})").status, 400);
  EXPECT_EQ(post(R"({"migration":true,"project":"nowhere"})").status, 404);
  EXPECT_EQ(post(R"({"migration":true,"project":"web"})").status, 400) << "it runs";
  (void)rest().run("PUT", "/1.0/instances/mover/state", R"({"action":"stop","force":true})");
  const auto end = rest().run("POST", "/1.0/instances/mover", R"({"migration":true,"project":"web","name":"moved","live":true})");
  EXPECT_EQ(end["description"], "Moving instance");
  EXPECT_EQ(end["status"], "Success");
}

TEST_F(Rest, ASecretOpensItsStreamOnceAndNoOther) {
  rest().make_running("secrets");
  const auto made = rest().request("POST", "/1.0/instances/secrets/exec", R"({"command":["cat"],"wait-for-websocket":true})");
  const auto base = made.headers.at("location") + "/websocket?secret=";
  const auto secret = made.metadata()["metadata"]["fds"]["0"].get<std::string>();
  EXPECT_EQ(rest().client().upgrade(base + std::string(64, '0')), 500);
  auto first = rest().client();
  EXPECT_EQ(first.upgrade(base + secret), 101);
  EXPECT_EQ(rest().client().upgrade(base + secret), 500);
  EXPECT_EQ(rest().client().upgrade("/1.0/operations/00000000-0000-0000-0000-000000000000/websocket?secret=" + secret), 404);
  const auto listed = rest().request("GET", "/1.0/operations?recursion=1").body;
  EXPECT_EQ(listed.find(made.metadata()["metadata"]["fds"]["1"].get<std::string>()), std::string::npos);
}

TEST_F(Rest, AnUnconnectedExecAndADetachedOneDiffer) {
  rest().make_running("detached");
  const auto end = rest().run("POST", "/1.0/instances/detached/exec", R"({"command":["/bin/sh","-c","exit 7"],"record-output":true})");
  EXPECT_EQ(end["class"], "task");
  EXPECT_EQ(end["metadata"]["return"], 7);
  EXPECT_TRUE(end["metadata"]["output"]["1"].get<std::string>().starts_with("/1.0/instances/detached/logs/exec_"));
}

TEST_F(Rest, AConsoleIsAnOperationThatEndsWithItsWebsocket) {
  rest().make_running("console");
  auto client = rest().client();
  const auto made = client.request("POST", "/1.0/instances/console/console", R"({"width":80,"height":24,"type":"console"})");
  ASSERT_EQ(made.status, 202) << made.body;
  EXPECT_EQ(made.metadata()["description"], "Showing console");
  const auto base = made.headers.at("location");
  std::optional<HttpClient> terminal(rest().client());
  ASSERT_EQ(terminal->upgrade(base + "/websocket?secret=" + made.metadata()["metadata"]["fds"]["0"].get<std::string>()), 101);
  EXPECT_EQ(terminal->read_frame().payload, "login: ");
  EXPECT_EQ(client.request("GET", base + "/wait?timeout=0").metadata()["status_code"], 103);
  terminal.reset();
  EXPECT_EQ(client.request("GET", base + "/wait").metadata()["status"], "Success");
}

TEST_F(Rest, EventsComeInOrderWithWholeOperations) {
  auto events = rest().client();
  ASSERT_EQ(events.upgrade("/1.0/events?type=operation,lifecycle"), 101);
  const auto accepted = rest().request("POST", "/1.0/instances", R"({"name":"event","source":{"type":"none"}})");
  const auto id = accepted.metadata()["id"];
  std::vector<std::string> seen;
  while (seen.empty() || seen.back() != "200") {
    const auto event = Json::parse(events.read_frame().payload);
    EXPECT_EQ(event["location"], "none");
    EXPECT_EQ(event["project"], "default");
    if (event["type"] == "operation" && event["metadata"]["id"] == id) seen.push_back(event["metadata"]["status_code"].dump());
    if (event["type"] == "lifecycle" && event["metadata"]["source"] == "/1.0/instances/event") seen.push_back(event["metadata"]["action"]);
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"103", "instance-created", "200"}));
  EXPECT_EQ(rest().request("GET", "/1.0/events").status, 400);
}

TEST_F(Rest, AnUploadIsStreamedWholeOrSplit) {
  const std::string big(5'000'000, 'i');
  const auto whole = rest().run("POST", "/1.0/images", big, {"Content-Type: application/octet-stream", "X-LXD-public: 1",
      "X-LXD-properties: colour=blue&os=a%20b", "X-LXD-filename: i.tar.gz"});
  EXPECT_EQ(whole["metadata"]["size"], "5000000");
  const auto image = rest().request("GET", "/1.0/images/" + whole["metadata"]["fingerprint"].get<std::string>()).metadata();
  EXPECT_EQ(image["properties"]["os"], "a b");
  EXPECT_EQ(image["public"], true);
  EXPECT_EQ(image["filename"], "i.tar.gz");
  EXPECT_EQ(image["expires_at"], "1970-01-01T00:00:00Z");
  EXPECT_EQ(image["last_used_at"], "0001-01-01T00:00:00Z");
  const auto part = [](const std::string& name, const std::string& data) {
    return "--xyz\r\nContent-Disposition: form-data; name=\"" + name + "\"; filename=\"f\"\r\n\r\n" + data + "\r\n";
  };
  const std::string type = "Content-Type: multipart/form-data; boundary=xyz";
  const auto split = rest().run("POST", "/1.0/images", part("metadata", std::string(3000, 'm')) + part("rootfs", std::string(2'000'000, 'r')) + "--xyz--\r\n", {type});
  EXPECT_EQ(split["metadata"]["size"], "2003000");
  EXPECT_EQ(rest().request("POST", "/1.0/images", part("rootfs", "r") + "--xyz--\r\n", {type}).status, 400);
  EXPECT_EQ(rest().request("POST", "/1.0/images", part("metadata", "m") + "--xyz--\r\n", {type}).status, 400);
}

TEST_F(Rest, AnUploadThatBreaksOffBecomesNoImage) {
  const auto count = rest().request("GET", "/1.0/images").metadata().size();
  {
    auto client = rest().client();
    client.send("POST /1.0/images HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\nContent-Length: 1000000\r\n\r\n" + std::string(1000, 'b'));
  }
  // Its operation ends as cancelled, and only then may one look.
  Json cancelled;
  for (int i = 0; i < 1000 && cancelled.is_null(); ++i) cancelled = rest().request("GET", "/1.0/operations").metadata().value("cancelled", Json());
  EXPECT_FALSE(cancelled.is_null());
  EXPECT_EQ(rest().request("GET", "/1.0/images").metadata().size(), count);
}

TEST_F(Rest, AReaderThatLeavesAnUploadIsNoBrokenConnection) {
  auto client = rest().client();
  const auto accepted = client.request("POST", "/1.0/images", std::string(8'000'000, 'z'), {"Content-Type: x/y", "X-LXD-filename: refuse.tar.gz"});
  ASSERT_EQ(accepted.status, 202) << accepted.body;
  EXPECT_EQ(client.request("GET", accepted.headers.at("location") + "/wait").metadata()["err"], "not an image");
}

TEST_F(Rest, MalformedRequestsAreRefused) {
  for (const auto* text : {"nonsense\r\n\r\n", "GET /1.0 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "GET /1.0 HTTP/1.1\r\n\r\n",
                           "POST /1.0/instances HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
                           "GET /1.0/%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"}) {
    auto client = rest().client();
    client.send(text);
    EXPECT_EQ(client.read_answer().status, 400) << text;
    EXPECT_TRUE(client.closed());
  }
  EXPECT_EQ(rest().request("GET", "/1.0", "", {"X-Large: " + std::string(20'000, 'x')}).status, 431);
  EXPECT_EQ(rest().request("POST", "/1.0/instances", std::string(9'000'000, ' ')).status, 413);
  EXPECT_EQ(rest().request("POST", "/1.0/instances", "{not json").status, 400);
  EXPECT_EQ(rest().request("BREW", "/1.0").status, 404);
  EXPECT_EQ(rest().request("LOCK", "/1.0").json()["error"], "Method \"LOCK\" not found");
}

TEST_F(Rest, RequestsOfOtherSitesAreRefused) {
  EXPECT_EQ(rest().request("POST", "/1.0/profiles", R"({"name":"x"})", {"Origin: http://evil.example"}).status, 403);
  EXPECT_EQ(rest().request("POST", "/1.0/profiles", R"({"name":"x"})", {"Sec-Fetch-Site: cross-site"}).status, 403);
  EXPECT_EQ(rest().request("GET", "/1.0", "", {"Origin: http://evil.example"}).status, 200);
  EXPECT_EQ(rest().request("POST", "/1.0/profiles", R"({"name":"same"})", {"Origin: http://test", "Sec-Fetch-Site: same-origin"}).status, 201);
}

TEST_F(Rest, RequestsInOnePacketAreAnsweredInOrder) {
  auto client = rest().client();
  client.send("GET /1.0/nope HTTP/1.1\r\nHost: a\r\n\r\nGET /1.0/profiles HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.read_answer().status, 404);
  EXPECT_EQ(client.read_answer().status, 200);
  EXPECT_EQ(client.read_answer().metadata(), Json::array({"/1.0"}));
}

TEST_F(Rest, ABodyMayBeChunkedAndExpectContinue) {
  auto client = rest().client();
  client.send("POST /1.0/profiles HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(client.read_answer(true).status, 100);
  client.send("8\r\n{\"name\":\r\n");
  client.send("a\r\n\"chunked\"}\r\n0\r\n\r\n");
  EXPECT_EQ(client.read_answer().status, 201);
}

TEST_F(Rest, ANewDaemonServesOldConnections) {
  auto client = rest().client();
  EXPECT_EQ(client.request("GET", "/1.0").status, 200);
  rest().restart_daemon();
  EXPECT_EQ(client.request("GET", "/1.0").status, 200);
}

TEST_F(Rest, OneUserHasEightBusConnectionsAndTheIdleOnesGiveWay) {
  std::vector<HttpClient> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(rest().client());
  for (auto& client : clients) EXPECT_EQ(client.request("GET", "/1.0/profiles").status, 200);
  for (auto& client : clients) EXPECT_EQ(client.request("GET", "/1.0/profiles").status, 200);
}

TEST_F(Rest, MoreConnectionsThanItServesAreRefusedAndItServesOn) {
  std::vector<HttpClient> idle;
  for (int i = 0; i < 520; ++i) {
    idle.push_back(rest().client());
    idle.back().send("GET /1.0 HTTP/1.1\r\nHo");
  }
  const auto refused = idle.back().read_answer();
  EXPECT_EQ(refused.status, 503);
  auto first = std::move(idle.front());
  idle.clear();
  first.send("st: test\r\n\r\n");
  EXPECT_EQ(first.read_answer().status, 200) << "the bridge is still the same";
}

TEST_F(Rest, WhatIsNotThereSaysWhatIsMissing) {
  const auto answer = rest().request("GET", "/1.0/cluster/members");
  EXPECT_EQ(answer.status, 501);
  EXPECT_NE(answer.json()["error"].get<std::string>().find("clustering"), std::string::npos);
  const auto extensions = rest().request("GET", "/1.0").metadata()["api_extensions"].dump();
  for (const auto* absent : {"custom_volume_backup", "storage_api_volume_snapshots", "network", "clustering"})
    EXPECT_EQ(extensions.find(std::string("\"") + absent + "\""), std::string::npos) << absent;
}

TEST_F(Rest, ManyInstancesChangeStateAtOnce) {
  rest().make_running("bulk-a");
  rest().make_running("bulk-b");
  EXPECT_EQ(rest().run("PUT", "/1.0/instances", R"({"state":{"action":"stop","force":true}})").value("status", ""), "Success");
  for (const auto& instance : rest().request("GET", "/1.0/instances?recursion=1").metadata()) EXPECT_EQ(instance["status"], "Stopped");
}

}  // namespace
}  // namespace berth::resttest
