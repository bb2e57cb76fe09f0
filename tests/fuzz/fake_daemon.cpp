#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "tests/fuzz/fake_bus.hpp"

namespace berth::fuzz {
namespace {

using rest::Argument;
using rest::Call;
using rest::Json;
using rest::Reply;

#define OPERATION_ID "c0ffee00-0000-4000-8000-000000000000"
#define FINGERPRINT "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

/// The one row of each list.
struct Rows {
  std::string_view member;
  const char* row;
};
constexpr std::array kRows{
    Rows{"DescribeServer", R"({"config":{"core.trust_password":"x"},"revision":1,"environment":{"storage_supported_drivers":[{"name":"dir"}],"server_pid":1}})"},
    Rows{"DescribeInstances", R"({"name":"web","project":"default","type":"container","status":"Running","status_code":103,"revision":7,"config":{"user.x":"1"},"devices":{},"profiles":["default"],"architecture":"x86_64","ephemeral":false,"created_at":1,"last_used_at":0,"location":"","snapshots":[{"name":"s0","created_at":1,"expires_at":0}],"backups":[],"state":{"network":{},"pid":5}})"},
    Rows{"DescribeSnapshots", R"({"name":"s0","created_at":1,"expires_at":0,"revision":1})"},
    Rows{"DescribeBackups", R"({"name":"b0","created_at":1,"expires_at":0})"},
    Rows{"DescribeImages", R"({"fingerprint":")" FINGERPRINT R"(","public":true,"properties":{"os":"x"},"profiles":[],"size":3,"created_at":1,"revision":2,"auto_update":false})"},
    Rows{"DescribeProfiles", R"({"name":"default","project":"default","config":{},"devices":{},"description":"","used_by":[{"kind":"instance","name":"web","project":"default"}],"revision":1})"},
    Rows{"DescribeProjects", R"({"name":"default","config":{},"description":"","used_by":[],"revision":1})"},
    Rows{"DescribeCertificates", R"({"fingerprint":")" FINGERPRINT R"(","name":"n","type":"client","certificate":"PEM","restricted":false,"projects":[],"revision":1})"},
    Rows{"DescribeOperations", R"({"id":")" OPERATION_ID R"(","class":"task","description":"Creating instance","project":"default","status":"Success","status_code":200,"err":"","error_code":"","created_at":1,"updated_at":1,"may_cancel":false,"metadata":{},"resources":{"instances":["web"]}})"},
    Rows{"DescribeResources", R"({"cpu":{"total":1},"usb":{"devices":[{"speed":"480"}],"total":1}})"},
};

/// Answers of fixed shape. `$` stands for a descriptor.
constexpr std::array kReplies{
    Rows{"ListInstances", R"([[["/p","default","web","container","running","x86_64",false,1,1]]])"},
    Rows{"ListImageAliases", R"([[["bb",")" FINGERPRINT R"(","container","an alias"]]])"},
    Rows{"ListStoragePools", R"([[["/p","default","dir"]]])"},
    Rows{"GetConfig", R"([{"name":"default","driver":"dir","config":{"source":"/x"},"status":"created","used_by":["web"]}])"},
    Rows{"GetResources", R"([{"space_used":1,"space_total":2}])"},
    Rows{"GetState", R"([{"resources":{"instances":{"limit":-1,"usage":1}}}])"},
    Rows{"GetMetadata", R"([{"architecture":"x86_64","created_at":1000000,"templates":{"/etc/hostname":{"when":["create"],"properties":{}}}}])"},
    Rows{"ListTemplates", R"([["hostname.tpl"]])"},
    Rows{"ListLogs", R"([["console.log"]])"},
    Rows{"OpenLog", R"(["$"])"},
    Rows{"OpenTemplate", R"(["$"])"},
    Rows{"OpenConsole", R"(["$"])"},
    Rows{"Subscribe", R"(["$"])"},
    Rows{"OpenFile", R"(["$",{"type":"file","mode":420,"uid":0,"gid":0,"size":0}])"},
    Rows{"Exec", R"(["/o/)" "c0ffee00_2d0000_2d4000_2d8000_2d000000000000" R"(","$","$","$"])"},
    Rows{"ExecTerminal", R"(["/o/)" "c0ffee00_2d0000_2d4000_2d8000_2d000000000000" R"(","$"])"},
    Rows{"Export", R"([{"size":0,"extension":".tar.gz","split":true}])"},
    Rows{"ExportBackup", R"([0])"},
    Rows{"AddCertificate", R"(["/c/)" FINGERPRINT R"("])"},
};

/// Everything else that answers at all answers with an operation.
constexpr const char* kOperation = R"(["/o/c0ffee00_2d0000_2d4000_2d8000_2d000000000000"])";

/// A descriptor that can be waited for, and is at its end both ways.
UniqueFd ended_stream() {
  int pair[2] = {-1, -1};
  demand(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0, "a socketpair");
  ::close(pair[1]);
  return UniqueFd(pair[0]);
}

void check_text(std::string_view text) {
  demand(is_text(text), "a text on the bus is UTF-8 without a NUL");
}

void check_path(std::string_view path) {
  demand(path.starts_with('/') && path.size() < 4096, "an object path begins with a slash");
  bool slash = false;
  for (const char c : path) {
    demand(c == '/' || c == '_' || std::isalnum(static_cast<unsigned char>(c)), "an object path has letters, digits and _");
    demand(c != '/' || !slash, "an object path has no empty elements");
    slash = c == '/';
  }
  demand(!slash, "an object path does not end with a slash");
}

void check(const rest::Options& options);
void check(const std::string& text) { check_text(text); }
void check(const rest::Strings& texts) {
  for (const auto& text : texts) check_text(text);
}
void check(const rest::StringMap& map) {
  for (const auto& [key, value] : map) check_text(key), check_text(value);
}
void check(const rest::StringMaps& maps) {
  for (const auto& [key, map] : maps) check_text(key), check(map);
}
void check(const rest::Handle& handle) { demand(::fcntl(handle.fd, F_GETFD) >= 0, "a descriptor on the bus is open"); }
template <typename T>
void check(const T&) {}
void check(const rest::Options& options) {
  for (const auto& [key, value] : options) {
    check_text(key);
    std::visit([](const auto& held) { check(held); }, value.held);
  }
}

Reply reply_of(const char* text) {
  Reply reply;
  reply.values = Json::parse(text);
  for (auto& value : reply.values)
    if (value == "$") {
      reply.fds.push_back(ended_stream());
      value = reply.fds.size() - 1;
    }
  return reply;
}

}  // namespace

Result<Reply> answer(const Call& call) {
  check_path(call.path);
  for (const auto& argument : call.arguments) std::visit([](const auto& held) { check(held); }, argument);
  auto& now = plan();
  if (now.failing_call == now.calls++) return Error{now.failure, "it was planned so"};
  for (const auto& rows : kRows)
    if (rows.member == call.member) {
      Reply reply;
      reply.values.push_back(Json::array({Json::parse(rows.row)}));
      return reply;
    }
  for (const auto& fixed : kReplies)
    if (fixed.member == call.member) return reply_of(fixed.row);
  return reply_of(kOperation);
}

}  // namespace berth::fuzz
