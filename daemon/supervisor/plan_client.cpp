#include "daemon/supervisor/plan_client.hpp"

#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstdlib>

#include "base/packet.hpp"
#include "daemon/domain/supervisor_protocol.hpp"

namespace berth::supervisor {
namespace {

/// A plan may have to wait for work on the container's storage, but not for ever.
constexpr timeval kPatience{.tv_sec = 300, .tv_usec = 0};

}  // namespace

Result<PulledPlan> pull_plan(const std::string& doorbell, const std::string& unit) {
  BERTH_TRY(UniqueFd connection, connect_packets(doorbell));
  if (::setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience) != 0)
    return system_error("cannot bound the wait for a plan", errno);
  const char* invocation = std::getenv("INVOCATION_ID");
  BERTH_CHECK(send_packet(connection.get(), encode(Message{.type = std::string(type::kPrepare),
                                                           .unit = unit,
                                                           .invocation = invocation != nullptr ? invocation : ""})));
  for (;;) {
    BERTH_TRY(const std::optional<Packet> packet, receive_packet(connection.get()));
    if (!packet) return Error{Code::Unavailable, "berthd closed the connection instead of sending a plan"};
    BERTH_TRY(const Message message, decode(packet->text));
    if (message.type == type::kError) return error_of(message);
    if (message.type != type::kPlan || packet->fds.empty()) continue;
    BERTH_TRY(const std::string text, read_text(packet->fds.front().get()));
    BERTH_TRY(StartPlan plan, decode_plan(text));
    return PulledPlan{std::move(plan), std::move(connection)};
  }
}

}  // namespace berth::supervisor
