#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "daemon/domain/listen_address.hpp"

namespace berth::ports {

/// Listening TCP sockets. Any thread; blocking (a host name is looked up).
class TcpListeners {
 public:
  virtual ~TcpListeners() = default;
  /// Binds and listens: one socket an address that the host stands for; a wildcard is one socket for both families.
  /// Another daemon of ours that has just gone may still have its listening sockets at the bridge: this one's work beside them.
  /// Errors: InvalidArgument `Couldn't resolve "HOST"`, or what keeps it from being bound.
  virtual Result<std::vector<UniqueFd>> listen(const ListenAddress& address) = 0;
  /// `host:port` by which others may reach what listens there: of a wildcard, each global address of the host.
  virtual std::vector<std::string> addresses(const ListenAddress& address) = 0;
};

}  // namespace berth::ports
