#include "daemon/supervisor/notify.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "base/unique_fd.hpp"

namespace berth::supervisor {

namespace {

constexpr std::chrono::seconds kMargin{10};

void notify(std::string_view news) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t length = std::strlen(path);
  if (length < 2 || length >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, path, length);
  if (path[0] == '@') address.sun_path[0] = '\0';
  const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  (void)::sendto(socket.get(), news.data(), news.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address),
                 static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length));
}

}  // namespace

void notify_ready() { notify("READY=1"); }

void notify_longer_stop(std::chrono::seconds least) {
  const std::chrono::microseconds limit = least + kMargin;
  notify("EXTEND_TIMEOUT_USEC=" + std::to_string(limit.count()));
}

}  // namespace berth::supervisor
