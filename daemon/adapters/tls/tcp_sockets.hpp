#pragma once

#include "daemon/ports/tcp_listeners.hpp"

namespace berth::tls {

/// TcpListeners by the kernel's sockets.
class TcpSockets final : public ports::TcpListeners {
 public:
  Result<std::vector<UniqueFd>> listen(const ListenAddress& address) override;
  std::vector<std::string> addresses(const ListenAddress& address) override;
};

}  // namespace berth::tls
