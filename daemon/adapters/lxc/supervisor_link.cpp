#include "daemon/adapters/lxc/supervisor_link.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>

#include "base/packet.hpp"

namespace berth::lxc {
namespace {

namespace type = supervisor::type;

Result<void> bound_wait(int socket, std::chrono::seconds patience) {
  const timeval limit{.tv_sec = patience.count(), .tv_usec = 0};
  if (::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0 ||
      ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0)
    return system_error("cannot bound the wait for a supervisor", errno);
  return {};
}

}  // namespace

Result<Answer> ask(const std::string& control, const supervisor::Message& question, std::span<const int> fds,
                   std::chrono::seconds patience) {
  BERTH_TRY(const UniqueFd socket, connect_packets(control));
  BERTH_CHECK(bound_wait(socket.get(), patience));
  BERTH_CHECK(send_packet(socket.get(), supervisor::encode(question), fds));
  BERTH_TRY(std::optional<Packet> packet, receive_packet(socket.get()));
  if (!packet) return Error{Code::Unavailable, "the container's supervisor closed the connection"};
  BERTH_TRY(supervisor::Message message, supervisor::decode(packet->text));
  if (message.type == type::kError) return supervisor::error_of(message);
  return Answer{std::move(message), std::move(packet->fds)};
}

Result<Watch> watch(const std::string& control) {
  constexpr std::chrono::seconds kPatience(5);
  BERTH_TRY(UniqueFd socket, connect_packets(control));
  BERTH_CHECK(bound_wait(socket.get(), kPatience));
  BERTH_CHECK(send_packet(socket.get(), supervisor::encode({.type = std::string(type::kWatch)})));
  BERTH_TRY(const std::optional<Packet> packet, receive_packet(socket.get()));
  if (!packet) return Error{Code::Unavailable, "the container's supervisor closed the connection"};
  BERTH_TRY(supervisor::Message state, supervisor::decode(packet->text));
  if (::fcntl(socket.get(), F_SETFL, O_NONBLOCK) != 0) return system_error("cannot watch a supervisor", errno);
  return Watch{std::move(state), std::move(socket)};
}

}  // namespace berth::lxc
