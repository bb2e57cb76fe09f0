#include "daemon/domain/listen_address.hpp"

#include <algorithm>
#include <charconv>

namespace berth {
namespace {

bool may_be_host(std::string_view host) {
  return host.size() <= 253 && std::all_of(host.begin(), host.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  std::string_view("-._:%").find(c) != std::string_view::npos;
         });
}

}  // namespace

Result<ListenAddress> parse_listen_address(std::string_view text) {
  const Error unusable{Code::InvalidArgument, "Couldn't resolve \"" + std::string(text) + "\""};
  ListenAddress address;
  auto host = text;
  std::string_view port;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return unusable;
    host = text.substr(1, end - 1);
    port = text.substr(end + 1);
    if (!port.empty() && !port.starts_with(':')) return unusable;
    if (host.find(':') == std::string_view::npos) return unusable;
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    host = text.substr(0, text.find(':'));
    port = text.substr(text.find(':'));
  }
  if (!may_be_host(host)) return unusable;
  if (port.starts_with(':')) {
    port.remove_prefix(1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
    if (error != std::errc() || end != port.data() + port.size() || address.port == 0)
      return Error{Code::InvalidArgument, "Invalid port in \"" + std::string(text) + "\""};
  }
  address.host = host;
  return address;
}

std::string join_host_port(const std::string& host, std::uint16_t port) {
  const auto shown = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return shown + ":" + std::to_string(port);
}

}  // namespace berth
