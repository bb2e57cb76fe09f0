#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace berth {

/// One message of a local SOCK_SEQPACKET conversation between Berth's own programs: text and the descriptors with it.
struct Packet {
  std::string text;
  std::vector<UniqueFd> fds;
};

inline constexpr std::size_t kPacketInline = 48 * 1024;       ///< longer texts travel in a memfd, unseen by the caller
inline constexpr std::size_t kPacketMax = 4 * 1024 * 1024;    ///< longer texts are refused on both sides
inline constexpr std::size_t kPacketFds = 8;                  ///< descriptors with one message, the memfd not counted

/// A listening socket at `path` (an old one there is replaced), mode 0600, non-blocking.
Result<UniqueFd> listen_packets(const std::string& path);
/// Takes one connection (non-blocking, as the listener is); nullopt when none waits or when the peer is not root (its connection is dropped).
Result<std::optional<UniqueFd>> accept_packets(int listener);
/// A blocking connection. Unavailable when nobody listens there.
Result<UniqueFd> connect_packets(const std::string& path);

/// Sends one message. LimitsExceeded when it is too long; Unavailable when the peer is gone or, on a non-blocking
/// socket, does not read.
Result<void> send_packet(int socket, std::string_view text, std::span<const int> fds = {});
/// Takes one message; nullopt when the peer closed. Blocks as the socket does; Unavailable when nothing is there yet or
/// the socket's receive time-out passed.
Result<std::optional<Packet>> receive_packet(int socket);

/// A sealed memfd with `text`: nobody can change it any more.
Result<UniqueFd> make_sealed_text(const std::string& name, std::string_view text);
/// The whole content of a memfd or file, from its start; LimitsExceeded beyond kPacketMax.
Result<std::string> read_text(int fd);
/// Replaces the file `path` in one step (temporary file and rename), mode 0600.
Result<void> replace_file(const std::string& path, std::string_view text);

}  // namespace berth
