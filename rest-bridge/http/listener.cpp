#include "rest-bridge/http/listener.hpp"

#include <fcntl.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/log.hpp"
#include "rest-bridge/http/connection.hpp"

namespace berth::rest {
namespace {

constexpr int kFirstInherited = 3;
constexpr int kBacklog = 128;

long number_in(const char* variable) {
  const char* text = ::getenv(variable);
  return text ? std::strtol(text, nullptr, 10) : 0;
}

}  // namespace

Result<std::optional<UniqueFd>> inherited_listener() {
  const auto count = number_in("LISTEN_FDS");
  if (count == 0 || number_in("LISTEN_PID") != ::getpid()) return std::optional<UniqueFd>();
  for (const auto* variable : {"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"}) ::unsetenv(variable);
  if (count != 1) return Error{Code::InvalidArgument, "expected one listening socket, was given " + std::to_string(count)};
  UniqueFd listener(kFirstInherited);
  ::fcntl(listener.get(), F_SETFD, FD_CLOEXEC);
  int domain = 0;
  socklen_t size = sizeof domain;
  if (::getsockopt(listener.get(), SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0 || domain != AF_UNIX)
    return Error{Code::InvalidArgument, "the socket that was given is not a unix socket"};
  return std::optional<UniqueFd>(std::move(listener));
}

Result<UniqueFd> listen_at(const std::string& path, const std::string& group) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path)
    return Error{Code::InvalidArgument, "the socket's path \"" + path + "\" is empty or too long"};
  std::memcpy(address.sun_path, path.data(), path.size());
  gid_t gid = static_cast<gid_t>(-1);
  if (!group.empty()) {
    const auto* entry = ::getgrnam(group.c_str());
    if (!entry) return Error{Code::NotFound, "there is no group \"" + group + "\""};
    gid = entry->gr_gid;
  }
  UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!listener) return system_error("cannot make a socket", errno);
  const auto* name = reinterpret_cast<const sockaddr*>(&address);
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode)) {
    const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(probe.get(), name, sizeof address) == 0)
      return Error{Code::AlreadyExists, "another program listens on " + path};
    ::unlink(path.c_str());
  }
  const auto old_mask = ::umask(0117);
  const int bound = ::bind(listener.get(), name, sizeof address);
  const int why = errno;
  ::umask(old_mask);
  if (bound != 0) return system_error("cannot bind " + path, why);
  if (gid != static_cast<gid_t>(-1) && ::chown(path.c_str(), static_cast<uid_t>(-1), gid) != 0)
    return system_error("cannot give " + path + " to group " + group, errno);
  if (::listen(listener.get(), kBacklog) != 0) return system_error("cannot listen on " + path, errno);
  return listener;
}

asio::awaitable<void> accept_connections(UniqueFd listener, Shared& shared) {
  const auto executor = co_await asio::this_coro::executor;
  asio::local::stream_protocol::acceptor acceptor(executor, asio::local::stream_protocol(), listener.release());
  asio::steady_timer pause(executor);
  for (;;) {
    boost::system::error_code error;
    auto socket = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (error) {
      // Out of descriptors, most likely: what is there goes on, and some of it will end.
      log::warning("cannot accept a connection: " + error.message());
      pause.expires_after(std::chrono::milliseconds(100));
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
      continue;
    }
    asio::co_spawn(executor, serve_connection(std::move(socket), shared), asio::detached);
  }
}

}  // namespace berth::rest
