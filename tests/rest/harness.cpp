#include "tests/rest/harness.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace berth::resttest {
namespace {

constexpr int kDeadline = 10'000;

UniqueFd connect_to(const std::string& path) {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size());
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return {};
  return fd;
}

void end_process(pid_t& pid) {
  if (pid <= 0) return;
  ::kill(pid, SIGTERM);
  ::waitpid(pid, nullptr, 0);
  pid = 0;
}

}  // namespace

HttpClient::HttpClient(const std::string& socket_path) : fd_(connect_to(socket_path)) {
  if (!fd_) throw std::runtime_error("cannot connect to " + socket_path);
}

void HttpClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    pollfd wait{.fd = fd_.get(), .events = POLLOUT, .revents = 0};
    if (::poll(&wait, 1, kDeadline) <= 0) throw std::runtime_error("the bridge does not read");
    const auto sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) return;  // the peer has gone; the answer tells
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool HttpClient::fill() {
  pollfd wait{.fd = fd_.get(), .events = POLLIN, .revents = 0};
  if (::poll(&wait, 1, kDeadline) <= 0) throw std::runtime_error("the bridge does not answer");
  char chunk[65536];
  const auto size = ::recv(fd_.get(), chunk, sizeof chunk, 0);
  if (size <= 0) return false;
  buffer_.append(chunk, static_cast<std::size_t>(size));
  return true;
}

bool HttpClient::closed() { return buffer_.empty() && !fill(); }

std::optional<std::string> HttpClient::take(std::size_t size) {
  while (buffer_.size() < size)
    if (!fill()) return std::nullopt;
  auto taken = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return taken;
}

Answer HttpClient::read_answer(bool head_only) {
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos)
    if (!fill()) return {};
  const auto head = *take(end + 4);
  Answer answer;
  answer.status = std::atoi(head.c_str() + 9);
  for (auto line = head.find("\r\n") + 2; line < head.size() - 2;) {
    const auto next = head.find("\r\n", line);
    const auto colon = head.find(':', line);
    auto name = head.substr(line, colon - line);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    answer.headers[name] = head.substr(colon + 2, next - colon - 2);
    line = next + 2;
  }
  if (head_only || answer.status == 101) return answer;
  if (answer.headers.contains("content-length")) {
    answer.body = take(std::stoul(answer.headers["content-length"])).value_or("");
  } else if (answer.headers.contains("transfer-encoding")) {
    for (;;) {
      while (buffer_.find("\r\n") == std::string::npos)
        if (!fill()) return answer;
      const auto line = *take(buffer_.find("\r\n") + 2);
      const auto size = std::stoul(line, nullptr, 16);
      answer.body += take(size).value_or("");
      take(2);
      if (size == 0) break;
    }
  }
  return answer;
}

Answer HttpClient::request(const std::string& method, const std::string& target, const std::string& body, const std::vector<std::string>& headers) {
  std::string text = method + " " + target + " HTTP/1.1\r\nHost: test\r\n";
  for (const auto& header : headers) text += header + "\r\n";
  if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  send(text + "\r\n" + body);
  return read_answer(method == "HEAD");
}

int HttpClient::upgrade(const std::string& target) {
  send("GET " + target + " HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  return read_answer().status;
}

void HttpClient::send_frame(int opcode, std::string_view payload) {
  std::string frame(1, static_cast<char>(0x80 | opcode));
  if (payload.size() < 126) {
    frame += static_cast<char>(0x80 | payload.size());
  } else {
    frame += static_cast<char>(0x80 | 126);
    frame += static_cast<char>(payload.size() >> 8U);
    frame += static_cast<char>(payload.size() & 0xffU);
  }
  frame.append(4, '\0');  // a mask of zeros leaves the payload as it is
  send(frame.append(payload));
}

HttpClient::Frame HttpClient::read_frame() {
  const auto head = take(2);
  if (!head) return {};
  Frame frame{.opcode = (*head)[0] & 0x0f, .payload = {}};
  std::size_t size = static_cast<unsigned char>((*head)[1]) & 0x7fU;
  if (size >= 126) {
    const auto more = take(size == 126 ? 2 : 8).value_or("");
    size = 0;
    for (const char c : more) size = (size << 8U) | static_cast<unsigned char>(c);
  }
  frame.payload = take(size).value_or("");
  return frame;
}

Instance::Instance() {
  char name[] = "/tmp/berth-rest-test-XXXXXX";
  if (!::mkdtemp(name)) throw std::runtime_error("no folder");
  folder_ = name;
  ::signal(SIGPIPE, SIG_IGN);
  std::ofstream(folder_ + "/bus.conf") << R"(<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path=)" + folder_ + R"(/bus</listen><auth>EXTERNAL</auth><policy context="default">
<allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>)";
  ::setenv("DBUS_SYSTEM_BUS_ADDRESS", ("unix:path=" + folder_ + "/bus").c_str(), 1);
  bus_ = start({"/usr/bin/dbus-daemon", "--config-file=" + folder_ + "/bus.conf", "--nofork", "--nosyslog"}, folder_ + "/bus");
  start_daemon();
  bridge_ = start({BERTH_REST, "--socket", socket()}, socket());
}

Instance::~Instance() {
  end_process(bridge_);
  end_process(daemon_);
  end_process(bus_);
  std::error_code error;
  std::filesystem::remove_all(folder_, error);
}

void Instance::start_daemon() {
  std::vector<std::string> command{FAKE_DAEMON};
  for (const auto& file : std::filesystem::directory_iterator(INTERFACES))
    if (file.path().extension() == ".xml") command.push_back(file.path());
  daemon_ = start(command, "");
}

void Instance::restart_daemon() {
  end_process(daemon_);
  start_daemon();
}

/// Starts a program; it is ready when a file is there, or when it has written a line.
pid_t Instance::start(std::vector<std::string> command, const std::string& ready_when) {
  std::vector<char*> arguments;
  for (auto& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  const UniqueFd output(ends[0]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  pid_t pid = 0;
  const int failed = ::posix_spawn(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  if (failed != 0) throw std::runtime_error("cannot start " + command[0]);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (std::chrono::steady_clock::now() < end) {
    pollfd wait{.fd = output.get(), .events = POLLIN, .revents = 0};
    if (::poll(&wait, 1, ready_when.empty() ? kDeadline : 5) > 0 && ready_when.empty()) return pid;
    if (!ready_when.empty() && std::filesystem::exists(ready_when) && connect_to(ready_when)) return pid;
  }
  throw std::runtime_error(command[0] + " did not become ready");
}

Answer Instance::request(const std::string& method, const std::string& target, const std::string& body, const std::vector<std::string>& headers) const {
  return client().request(method, target, body, headers);
}

Json Instance::run(const std::string& method, const std::string& target, const std::string& body, const std::vector<std::string>& headers) const {
  auto connection = client();
  const auto accepted = connection.request(method, target, body, headers);
  EXPECT_EQ(accepted.status, 202) << accepted.body;
  if (accepted.status != 202) return {};
  return connection.request("GET", accepted.headers.at("location") + "/wait").metadata();
}

void Instance::make_running(const std::string& name) const {
  run("POST", "/1.0/instances", R"({"name":")" + name + R"(","source":{"type":"none"}})");
  EXPECT_EQ(run("PUT", "/1.0/instances/" + name + "/state", R"({"action":"start"})").value("status", ""), "Success");
}

}  // namespace berth::resttest
