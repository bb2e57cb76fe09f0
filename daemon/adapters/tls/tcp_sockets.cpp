#include "daemon/adapters/tls/tcp_sockets.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <memory>

namespace berth::tls {
namespace {

constexpr int kBacklog = 1024;
/// A name that stands for more is nobody's listener.
constexpr std::size_t kMostSockets = 8;
constexpr auto kAnyIpv6 = "::";
constexpr auto kAnyIpv4 = "0.0.0.0";

struct FreeAddresses {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
  void operator()(ifaddrs* list) const noexcept { ::freeifaddrs(list); }
};

bool is_wildcard(const std::string& host) { return host.empty() || host == kAnyIpv6 || host == kAnyIpv4; }

Result<UniqueFd> listen_on(const addrinfo& where, bool both_families, const std::string& shown) {
  UniqueFd socket(::socket(where.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP));
  const int on = 1;
  const int only_v6 = both_families ? 0 : 1;
  // REUSEPORT, since the bridge keeps the sockets of a daemon that has just ended until it has these; the kernel lets
  // nobody in who is not of our uid.
  if (!socket || ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0 ||
      (where.ai_family == AF_INET6 &&
       ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, sizeof only_v6) != 0))
    return system_error("cannot make a socket for " + shown, errno);
  if (::bind(socket.get(), where.ai_addr, where.ai_addrlen) != 0 || ::listen(socket.get(), kBacklog) != 0) {
    const int why = errno;
    auto error = system_error("cannot listen on " + shown, why);
    if (why == EADDRINUSE || why == EADDRNOTAVAIL || why == EACCES) error.code = Code::InvalidArgument;
    return error;
  }
  return socket;
}

/// An address that others can reach: no loopback and no link-local one.
bool is_global(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    const auto number = ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr);
    return number >> 24U != 127U && number >> 16U != 0xa9feU;
  }
  if (address.sa_family != AF_INET6) return false;
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  return !IN6_IS_ADDR_LOOPBACK(&v6) && !IN6_IS_ADDR_LINKLOCAL(&v6) && !IN6_IS_ADDR_UNSPECIFIED(&v6);
}

}  // namespace

Result<std::vector<UniqueFd>> TcpSockets::listen(const ListenAddress& address) {
  const bool any = address.host.empty() || address.host == kAnyIpv6;
  const auto shown = join_host_port(address.host, address.port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  const auto port = std::to_string(address.port);
  const auto find = [&](const char* host, std::unique_ptr<addrinfo, FreeAddresses>& list) {
    addrinfo* raw = nullptr;
    const int failed = ::getaddrinfo(host, port.c_str(), &hints, &raw);
    list.reset(raw);
    return failed == 0;
  };
  std::unique_ptr<addrinfo, FreeAddresses> found;
  if (!find(any ? kAnyIpv6 : address.host.c_str(), found))
    return Error{Code::InvalidArgument, "Couldn't resolve \"" + address.host + "\""};
  std::vector<UniqueFd> sockets;
  if (any) {
    auto socket = listen_on(*found, true, shown);
    if (!socket && address.host.empty() && find(kAnyIpv4, found)) socket = listen_on(*found, false, shown);  // a host without IPv6
    if (!socket) return std::move(socket).error();
    sockets.push_back(*std::move(socket));
    return sockets;
  }
  for (const auto* each = found.get(); each != nullptr && sockets.size() < kMostSockets; each = each->ai_next) {
    BERTH_TRY(auto socket, listen_on(*each, false, shown));
    sockets.push_back(std::move(socket));
  }
  return sockets;
}

std::vector<std::string> TcpSockets::addresses(const ListenAddress& address) {
  if (!is_wildcard(address.host)) return {join_host_port(address.host, address.port)};
  std::vector<std::string> out;
  ifaddrs* raw = nullptr;
  if (::getifaddrs(&raw) != 0) return out;
  const std::unique_ptr<ifaddrs, FreeAddresses> list(raw);
  for (const auto* each = list.get(); each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr || !is_global(*each->ifa_addr)) continue;
    const bool v6 = each->ifa_addr->sa_family == AF_INET6;
    if (v6 && address.host == kAnyIpv4) continue;
    std::array<char, INET6_ADDRSTRLEN> text{};
    const void* number = v6 ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in6*>(each->ifa_addr)->sin6_addr)
                            : static_cast<const void*>(&reinterpret_cast<const sockaddr_in*>(each->ifa_addr)->sin_addr);
    if (::inet_ntop(each->ifa_addr->sa_family, number, text.data(), text.size()) != nullptr)
      out.push_back(join_host_port(text.data(), address.port));
  }
  return out;
}

}  // namespace berth::tls
