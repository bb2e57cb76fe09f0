#include "daemon/supervisor/stop.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string_view>

#include "base/packet.hpp"

namespace berth::supervisor {
namespace {

/// True while systemd takes the machine down: then the container has to come back at the next boot.
bool host_goes_down() {
  if (::access("/run/systemd/system", F_OK) != 0) return false;
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
  const UniqueFd in(ends[0]);
  UniqueFd out(ends[1]);
  posix_spawn_file_actions_t actions;
  if (::posix_spawn_file_actions_init(&actions) != 0) return false;
  (void)::posix_spawn_file_actions_adddup2(&actions, out.get(), STDOUT_FILENO);
  std::string program = "systemctl";
  std::string verb = "is-system-running";
  const std::array<char*, 3> argv{program.data(), verb.data(), nullptr};
  pid_t child = 0;
  const int spawned = ::posix_spawnp(&child, program.c_str(), &actions, nullptr, argv.data(), environ);
  (void)::posix_spawn_file_actions_destroy(&actions);
  out.reset();
  if (spawned != 0) return false;
  std::array<char, 64> text{};
  const ssize_t got = ::read(in.get(), text.data(), text.size());
  (void)::waitpid(child, nullptr, 0);
  return got > 0 && std::string_view(text.data(), static_cast<std::size_t>(got)).starts_with("stopping");
}

}  // namespace

Result<void> stop_unit(const RuntimePaths& paths, const std::string& unit) {
  auto watching = connect_packets(paths.unit(unit) + "/control");
  if (!watching) return {};  // it has ended
  BERTH_CHECK(send_packet(watching->get(), encode({.type = std::string(type::kWatch)})));
  BERTH_TRY(const UniqueFd asking, connect_packets(paths.unit(unit) + "/control"));
  BERTH_CHECK(send_packet(asking.get(), encode({.type = std::string(type::kShutdown), .value = host_goes_down() ? 1 : 0})));
  BERTH_TRY(const std::optional<Packet> packet, receive_packet(asking.get()));
  if (packet) {
    BERTH_TRY(const Message reply, decode(packet->text));
    if (reply.type == type::kError) return error_of(reply);
  }
  for (;;) {
    BERTH_TRY(const std::optional<Packet> news, receive_packet(watching->get()));
    if (!news) return {};
  }
}

}  // namespace berth::supervisor
