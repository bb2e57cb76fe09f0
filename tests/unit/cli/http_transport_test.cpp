// The transport's two threads: the caller's, which runs the loop, and the one that carries the bytes.
#include "cli/remote/http_transport.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "cli/remotes.hpp"
#include "tests/unit/cli/tiny_server.hpp"
#include "tests/unit/store/temporary_folder.hpp"

namespace berth::cli {
namespace {

class ARemoteTransport : public testing::Test {
 protected:
  ARemoteTransport() {
    const auto text = "remotes:\n  far:\n    addr: unix:" + path() + "\n    protocol: lxd\n";
    configuration_.emplace(*Configuration::parse(text, folder_.path()));
  }
  std::string path() const { return folder_.path() + "/socket"; }
  std::unique_ptr<Transport> open() { return *http_transport(*configuration_, "far"); }
  static rest::Request get(const std::string& target) {
    rest::Request request;
    request.method = "GET";
    request.target = target;
    return request;
  }

  testing_support::TemporaryFolder folder_;
  std::optional<Configuration> configuration_;
  std::optional<testing_support::TinyServer> server_{path()};
};

TEST_F(ARemoteTransport, BringsEachRequestItsOwnAnswerWhenManyAreUnderWay) {
  constexpr int kRequests = 50;
  const auto transport = open();
  int right = 0, answers = 0;
  for (int i = 0; i < kRequests; ++i) {
    const auto target = "/1.0/thing/" + std::to_string(i);
    transport->handle(get(target), [&, target](const rest::Response& response) {
      ++answers;
      if (response.status == 200 && response.text().find("\"" + target + "\"") != std::string_view::npos) ++right;
    });
  }
  transport->loop().run_until([&] { return answers == kRequests; });
  EXPECT_EQ(right, kRequests);
}

TEST_F(ARemoteTransport, SaysOfAServerThatIsNotThereThatItIsUnavailable) {
  const auto transport = open();
  EXPECT_EQ(transport->call(get("/1.0")).status, 200);
  server_.reset();
  ::unlink(path().c_str());
  EXPECT_EQ(transport->call(get("/1.0")).status, 503);
}

TEST_F(ARemoteTransport, EndsWithRequestsUnderWay) {
  server_->hold();
  for (int i = 0; i < 10; ++i) {
    const auto transport = open();
    for (int each = 0; each < 5; ++each) transport->handle(get("/1.0"), [](const rest::Response&) { FAIL(); });
  }
}

TEST_F(ARemoteTransport, TellsEventsInTheirOrderAndThenTheEnd) {
  const auto transport = open();
  auto request = get("/1.0/events");
  request.upgrade = true;
  std::shared_ptr<rest::EventStream> events;
  transport->handle(std::move(request), [&](rest::Response response) {
    if (auto* stream = std::get_if<rest::Stream>(&response.body)) events = stream->events;
  });
  transport->loop().run_until([&] { return events != nullptr; });
  int next = 0;
  bool ended = false;
  events->on_event(
      [&next](std::string_view text) {
        if (text.find("\"number\":" + std::to_string(next) + "}") != std::string_view::npos) ++next;
      },
      [&ended] { ended = true; });
  transport->loop().run_until([&] { return ended; });
  EXPECT_EQ(next, 100);
}

TEST_F(ARemoteTransport, CarriesTheStreamsOfACommandBothWaysAndTellsItsEndAfterThem) {
  const auto transport = open();
  rest::Request request = get("/1.0/instances/c/exec");
  request.method = "POST";
  request.body = std::string("{}");
  const auto response = transport->call(std::move(request));
  ASSERT_EQ(response.status, 202);
  ASSERT_NE(response.session, nullptr);
  const std::string input(300'000, 'x');
  auto to = response.session->take("0"), from = response.session->take("1"), errors = response.session->take("2");
  ASSERT_TRUE(transport->begin(response.session));
  transport->resize(response.session, 80, 24);
  std::thread writer([&input, to = std::move(to)]() mutable {
    std::size_t at = 0;
    while (at < input.size()) {
      const auto size = ::write(to.get(), input.data() + at, input.size() - at);
      if (size <= 0) break;
      at += static_cast<std::size_t>(size);
    }
    to.reset();
  });
  std::string output;
  std::thread reader([&output, from = std::move(from)] {
    char buffer[4096];
    for (ssize_t size = 0; (size = ::read(from.get(), buffer, sizeof buffer)) > 0;) output.append(buffer, static_cast<std::size_t>(size));
  });
  EXPECT_EQ(transport->call(get("/1.0/operations/op/wait")).status, 200);
  writer.join();
  reader.join();
  EXPECT_EQ(output.size(), input.size());
}

}  // namespace
}  // namespace berth::cli
