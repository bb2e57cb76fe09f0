#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace berth {

/// Where HTTPS is served.
struct ListenAddress {
  std::string host;  ///< a name or an address, without brackets; empty or "::" = every address, "0.0.0.0" = every IPv4 address
  std::uint16_t port = 8443;
};

/// Reads `HOST`, `HOST:PORT`, `:PORT`, `[V6]`, `[V6]:PORT` or a bare IPv6 address. Errors: InvalidArgument
/// `Couldn't resolve "..."` for what cannot be a host.
Result<ListenAddress> parse_listen_address(std::string_view text);

/// `host:port`, an IPv6 address in brackets.
std::string join_host_port(const std::string& host, std::uint16_t port);

}  // namespace berth
