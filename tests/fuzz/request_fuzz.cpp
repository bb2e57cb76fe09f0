// One request as the API layer gets it: the line `METHOD TARGET`, header lines, an empty line, and the body. A header
// `Fail: N CODE` lets the Nth call on the daemon fail. What a daemon that answers properly is asked, and what the client is
// answered, must make sense whatever the request was.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <charconv>
#include <deque>
#include <string>
#include <utility>

#include "rest-bridge/api/api.hpp"
#include "rest-bridge/api/router.hpp"
#include "rest-bridge/api/sessions.hpp"
#include "tests/fuzz/fake_bus.hpp"

namespace berth::fuzz {
namespace {

using rest::Json;
using rest::Request;
using rest::Response;

/// Work that was posted, in order; timers go off when there is none. Descriptors of the stand-in are at their end, and
/// nobody here waits for more than that.
class StepLoop final : public rest::Loop {
 public:
  struct Nothing final : Watch {};
  struct Timer final : Watch {
    std::shared_ptr<Callback> fire;
  };
  std::unique_ptr<Watch> watch(int, short, Callback) override { return std::make_unique<Nothing>(); }
  std::unique_ptr<Watch> after(std::chrono::microseconds, Callback fire) override {
    auto timer = std::make_unique<Timer>();
    timer->fire = std::make_shared<Callback>(std::move(fire));
    timers_.push_back(timer->fire);
    return timer;
  }
  void post(Callback work) override { posted_.push_back(std::move(work)); }

  void run_until(const bool& done) {
    for (int steps = 0; !done || !posted_.empty(); ++steps) {
      demand(steps < 10'000, "a request ends");
      demand(!posted_.empty() || !timers_.empty(), "a request that nothing is waited for is answered");
      if (!posted_.empty()) {
        const auto work = std::move(posted_.front());
        posted_.pop_front();
        work();
        continue;
      }
      const auto timer = timers_.front().lock();
      timers_.pop_front();
      if (timer) (*timer)();
    }
  }

 private:
  std::deque<Callback> posted_;
  std::deque<std::weak_ptr<Callback>> timers_;
};

std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  const auto line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

UniqueFd file_of(std::string_view text) {
  UniqueFd fd(::memfd_create("upload", MFD_CLOEXEC));
  demand(::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()), "a file of the body");
  (void)::lseek(fd.get(), 0, SEEK_SET);
  return fd;
}

void plan_failure(std::string_view text) {
  std::size_t call = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), call);
  plan().failing_call = call;
  for (const auto& row : kErrorTable)
    if (text.ends_with(row.dbus_name.substr(row.dbus_name.rfind('.') + 1))) plan().failure = row.code;
  (void)parsed;
}

Request request_of(std::string_view text) {
  Request request;
  auto line = take_line(text);
  const auto space = line.find(' ');
  request.method = std::string(line.substr(0, space));
  if (space != std::string_view::npos) request.target = std::string(line.substr(space + 1));
  while (!(line = take_line(text)).empty()) {
    const auto colon = line.find(": ");
    if (colon == std::string_view::npos) continue;
    const auto name = line.substr(0, colon);
    const auto value = line.substr(colon + 2);
    if (name == "Fail")
      plan_failure(value);
    else if (name == "Upgrade")
      request.upgrade = true;
    else
      request.headers.add(std::string(name), std::string(value));
  }
  const auto kind = rest::body_kind(request.method, request.target);
  const bool octets = request.headers.get("Content-Type").starts_with("application/octet-stream");
  if (kind == rest::BodyKind::Upload || (kind != rest::BodyKind::Text && octets))
    request.body = rest::Upload{.file = file_of(text), .rootfs = {}, .began = nullptr};
  else
    request.body = std::string(text);
  return request;
}

void check(const Response& response) {
  demand(response.status >= 100 && response.status < 600, "a status is one of HTTP");
  if (response.headers.get("Content-Type") != "application/json") return;
  const auto answer = Json::parse(response.text(), nullptr, false);
  demand(answer.is_object(), "an answer of JSON is an object");
  if (answer.contains("openapi")) return;
  for (const auto* member : {"type", "status", "status_code", "operation", "error_code", "error", "metadata"})
    demand(answer.contains(member), "an envelope is whole");
  demand(answer["type"] != "error" || answer["error_code"] == response.status, "a refusal says its status");
  demand(answer["error"] != "the answer of the daemon could not be understood", "no request makes a handler throw");
}

int run(std::string_view text) {
  restart_randomness();
  plan() = {};
  StepLoop loop;
  const auto bus = rest::Bus::open(loop);
  {
    rest::Api api(**bus, nullptr, "unix:1000", {.tls = text.size() % 2 == 0, .certificate = "", .address = ""});
    bool done = false;
    api.handle(request_of(text), [&done](const Response& response) {
      demand(!done, "a request is answered once");
      check(response);
      done = true;
    });
    demand(!done, "an answer never comes from inside the call");
    loop.run_until(done);
  }
  return 0;
}

}  // namespace
}  // namespace berth::fuzz

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  return berth::fuzz::run({reinterpret_cast<const char*>(data), size});
}
