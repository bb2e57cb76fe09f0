#include "tests/unit/cli/tiny_server.hpp"

#include <openssl/sha.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <optional>

#include "base/base64.hpp"

namespace berth::testing_support {
namespace {

constexpr int kEvents = 100;

bool send_all(int fd, const std::string& bytes) {
  return ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

std::optional<std::string> take(int fd, std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t got = 0;
  while (got < size) {
    const auto more = ::recv(fd, bytes.data() + got, size - got, 0);
    if (more <= 0) return std::nullopt;
    got += static_cast<std::size_t>(more);
  }
  return bytes;
}

/// Up to the empty line.
std::optional<std::string> take_head(int fd) {
  std::string head;
  while (!head.ends_with("\r\n\r\n")) {
    const auto byte = take(fd, 1);
    if (!byte || head.size() > 16384) return std::nullopt;
    head += *byte;
  }
  return head;
}

std::string header(const std::string& head, const std::string& name) {
  const auto at = head.find("\r\n" + name + ": ");
  if (at == std::string::npos) return {};
  const auto begin = at + name.size() + 4;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

/// A short frame of a server. 1 is text, 2 binary, 8 the end.
std::string frame(int kind, const std::string& text) {
  std::string out{static_cast<char>(0x80 | kind)};
  if (text.size() < 126) return out + static_cast<char>(text.size()) + text;
  return out + '\x7e' + static_cast<char>(text.size() >> 8U) + static_cast<char>(text.size() & 255U) + text;
}

struct Frame {
  int kind = 0;
  std::string text;
};

std::optional<Frame> take_frame(int fd) {
  const auto begin = take(fd, 2);
  if (!begin) return std::nullopt;
  std::size_t size = static_cast<unsigned char>((*begin)[1]) & 127U;
  if (size >= 126) {
    const auto longer = take(fd, size == 126 ? 2 : 8);
    if (!longer) return std::nullopt;
    size = 0;
    for (const char byte : *longer) size = size << 8U | static_cast<unsigned char>(byte);
  }
  const auto mask = take(fd, 4);
  auto text = mask ? take(fd, size) : std::nullopt;
  if (!text) return std::nullopt;
  for (std::size_t i = 0; i < text->size(); ++i) (*text)[i] = static_cast<char>((*text)[i] ^ (*mask)[i % 4]);
  return Frame{(*begin)[0] & 15, *std::move(text)};
}

std::string answer(int status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) + " x\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

constexpr auto kExec = R"({"type":"async","status":"Operation created","status_code":100,"operation":"/1.0/operations/op","metadata":
{"id":"op","class":"websocket","status_code":103,"metadata":{"fds":{"0":"s0","1":"s1","2":"s2","control":"sc"}}}})";

}  // namespace

TinyServer::TinyServer(const std::string& path) : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || ::listen(listener_.get(), 64) != 0)
    std::abort();
  accepting_ = std::thread([this] { accept_all(); });
}

TinyServer::~TinyServer() {
  (void)::shutdown(listener_.get(), SHUT_RDWR);
  accepting_.join();
  {
    const std::lock_guard lock(mutex_);
    input_over_ = true;
    outputs_over_ = 2;
    for (const auto& connection : connections_) (void)::shutdown(connection.get(), SHUT_RDWR);
  }
  changed_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void TinyServer::accept_all() {
  for (;;) {
    UniqueFd connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection) return;
    const int fd = connection.get();
    {
      const std::lock_guard lock(mutex_);
      connections_.push_back(std::move(connection));
    }
    threads_.emplace_back([this, fd] { serve(fd); });
  }
}

void TinyServer::serve(int fd) {
  while (const auto head = take_head(fd)) {
    const auto first = head->find(' ');
    const auto target = head->substr(first + 1, head->find(' ', first + 1) - first - 1);
    if (const auto key = header(*head, "Sec-WebSocket-Key"); !key.empty()) {
      serve_websocket(fd, target, key);
      break;
    }
    const auto length = header(*head, "Content-Length");
    if (!length.empty() && !take(fd, std::stoul(length))) break;
    if (held_) continue;
    if (target.ends_with("/wait")) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return outputs_over_ == 2; });
    }
    const auto body = R"({"type":"sync","status":"Success","status_code":200,"metadata":{"path":")" + target + "\"}}";
    if (!send_all(fd, target.ends_with("/exec") ? answer(202, kExec) : answer(200, body))) break;
  }
  (void)::shutdown(fd, SHUT_RDWR);
}

void TinyServer::serve_websocket(int fd, const std::string& target, const std::string& key) {
  const auto proof = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  (void)SHA1(reinterpret_cast<const unsigned char*>(proof.data()), proof.size(), digest.data());
  const std::string text(digest.begin(), digest.end());
  if (!send_all(fd, "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + base64_encode(text) + "\r\n\r\n"))
    return;
  if (target.starts_with("/1.0/events")) {
    for (int i = 0; i < kEvents; ++i)
      if (!send_all(fd, frame(1, R"({"type":"lifecycle","number":)" + std::to_string(i) + "}"))) return;
    (void)send_all(fd, frame(8, ""));
    return;
  }
  if (target.ends_with("=s1") || target.ends_with("=s2")) {
    std::string output;
    if (target.ends_with("=s1")) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return input_over_; });
      output = input_;
    }
    for (std::size_t at = 0; at < output.size(); at += 1000)
      if (!send_all(fd, frame(2, output.substr(at, 1000)))) return;
    (void)send_all(fd, frame(1, ""));
    const std::lock_guard lock(mutex_);
    ++outputs_over_;
    changed_.notify_all();
    return;
  }
  while (const auto got = take_frame(fd)) {
    if (got->kind == 8) return;
    if (!target.ends_with("=s0")) continue;
    const std::lock_guard lock(mutex_);
    input_ += got->text;
    if (got->kind == 1 && got->text.empty()) input_over_ = true;
    changed_.notify_all();
  }
}

}  // namespace berth::testing_support
