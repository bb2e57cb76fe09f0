#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.hpp"

namespace berth::resttest {

using Json = nlohmann::json;

/// One HTTP answer as it came over the socket.
struct Answer {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
  Json json() const { return Json::parse(body, nullptr, false); }
  Json metadata() const { return json().value("metadata", Json()); }
};

/// One client connection, byte by byte: what a library would hide is what is tested. Every read has a deadline.
class HttpClient {
 public:
  explicit HttpClient(const std::string& socket_path);
  void send(std::string_view bytes);
  Answer request(const std::string& method, const std::string& target, const std::string& body = {}, const std::vector<std::string>& headers = {});
  /// Reads one answer; status 0 when the peer closed first.
  Answer read_answer(bool head_only = false);
  bool closed();
  int fd() const { return fd_.get(); }

  /// Makes it a websocket; the status of the answer.
  int upgrade(const std::string& target);
  void send_frame(int opcode, std::string_view payload);
  struct Frame {
    int opcode = -1;  ///< 1 text, 2 binary, 8 close; -1 the end of the connection
    std::string payload;
  };
  Frame read_frame();

 private:
  bool fill();
  std::optional<std::string> take(std::size_t size);

  UniqueFd fd_;
  std::string buffer_;
};

/// A private message bus, the stand-in for the daemon and the bridge, in a folder of their own. All of it ends with it.
class Instance {
 public:
  Instance();
  ~Instance();
  std::string socket() const { return folder_ + "/unix.socket"; }
  HttpClient client() const { return HttpClient(socket()); }
  /// One request on a connection of its own.
  Answer request(const std::string& method, const std::string& target, const std::string& body = {}, const std::vector<std::string>& headers = {}) const;
  /// The same, and the end of the operation it makes.
  Json run(const std::string& method, const std::string& target, const std::string& body = {}, const std::vector<std::string>& headers = {}) const;
  /// A running instance of that name.
  void make_running(const std::string& name) const;
  void restart_daemon();

 private:
  pid_t start(std::vector<std::string> command, const std::string& ready_when);
  void start_daemon();
  std::string folder_;
  pid_t bus_ = 0, daemon_ = 0, bridge_ = 0;
};

/// One private bus, daemon and bridge for all tests of a suite; each test uses names of its own.
class WithInstance : public ::testing::Test {
 public:
  static void SetUpTestSuite() { instance_ = new Instance; }
  static void TearDownTestSuite() {
    delete instance_;
    instance_ = nullptr;
  }
  Instance& rest() { return *instance_; }

 private:
  static inline Instance* instance_ = nullptr;
};

}  // namespace berth::resttest
