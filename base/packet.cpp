#include "base/packet.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace berth {
namespace {

/// First byte of a packet whose text is in the memfd that is its last descriptor. JSON never begins with it.
constexpr char kInMemory = 'M';

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return Error{Code::InvalidArgument, "socket path is too long: " + path};
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

const sockaddr* generic(const sockaddr_un& address) { return reinterpret_cast<const sockaddr*>(&address); }

Result<void> send_raw(int socket, std::string_view text, std::span<const int> fds) {
  std::string copy(text);  // sendmsg wants a writable pointer
  iovec part{copy.data(), copy.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * (kPacketFds + 1))> control{};
  if (!fds.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes());
  }
  ssize_t sent = -1;
  do {
    sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) {
    Error error = system_error("cannot send to the other program", errno);
    error.code = Code::Unavailable;
    return error;
  }
  return {};
}

void collect_fds(msghdr& message, std::vector<UniqueFd>& out) {
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
      out.emplace_back(fd);
    }
  }
}

}  // namespace

Result<UniqueFd> listen_packets(const std::string& path) {
  BERTH_TRY(const sockaddr_un address, address_of(path));
  UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return system_error("cannot make a socket", errno);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return system_error("cannot replace " + path, errno);
  if (::bind(socket.get(), generic(address), sizeof address) != 0) return system_error("cannot bind " + path, errno);
  if (::chmod(path.c_str(), 0600) != 0) return system_error("cannot restrict " + path, errno);
  if (::listen(socket.get(), SOMAXCONN) != 0) return system_error("cannot listen on " + path, errno);
  return socket;
}

Result<std::optional<UniqueFd>> accept_packets(int listener) {
  UniqueFd peer(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!peer) {
    if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) return std::optional<UniqueFd>{};
    return system_error("cannot accept a connection", errno);
  }
  ucred who{};
  socklen_t size = sizeof who;
  if (::getsockopt(peer.get(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0 || who.uid != 0)
    return std::optional<UniqueFd>{};
  return std::optional<UniqueFd>{std::move(peer)};
}

Result<UniqueFd> connect_packets(const std::string& path) {
  BERTH_TRY(const sockaddr_un address, address_of(path));
  UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!socket) return system_error("cannot make a socket", errno);
  if (::connect(socket.get(), generic(address), sizeof address) != 0) {
    Error error = system_error("cannot connect to " + path, errno);
    error.code = Code::Unavailable;
    return error;
  }
  return socket;
}

Result<void> send_packet(int socket, std::string_view text, std::span<const int> fds) {
  if (fds.size() > kPacketFds || text.size() > kPacketMax)
    return Error{Code::LimitsExceeded, "message is too long: " + std::to_string(text.size()) + " bytes"};
  if (text.size() <= kPacketInline) return send_raw(socket, text, fds);
  BERTH_TRY(const UniqueFd body, make_sealed_text("berth-message", text));
  std::vector<int> all(fds.begin(), fds.end());
  all.push_back(body.get());
  return send_raw(socket, std::string_view(&kInMemory, 1), all);
}

Result<std::optional<Packet>> receive_packet(int socket) {
  Packet packet;
  packet.text.resize(kPacketInline);
  iovec part{packet.text.data(), packet.text.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * (kPacketFds + 1))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t got = -1;
  do {
    got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    if (errno == ECONNRESET) return std::optional<Packet>{};
    Error error = system_error("cannot receive from the other program", errno);
    error.code = Code::Unavailable;
    return error;
  }
  collect_fds(message, packet.fds);
  if (got == 0) return std::optional<Packet>{};
  if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
    return Error{Code::LimitsExceeded, "a message was longer than the protocol allows"};
  packet.text.resize(static_cast<std::size_t>(got));
  if (packet.text.front() == kInMemory) {
    if (packet.fds.empty()) return Error{Code::InvalidArgument, "a message came without its text"};
    BERTH_TRY(packet.text, read_text(packet.fds.back().get()));
    packet.fds.pop_back();
  }
  packet.text.shrink_to_fit();
  return std::optional<Packet>{std::move(packet)};
}

Result<UniqueFd> make_sealed_text(const std::string& name, std::string_view text) {
  UniqueFd fd(::memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return system_error("cannot make a memory file", errno);
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t written = ::write(fd.get(), text.data() + done, text.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return system_error("cannot fill a memory file", errno);
    done += static_cast<std::size_t>(written);
  }
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0)
    return system_error("cannot seal a memory file", errno);
  return fd;
}

Result<std::string> read_text(int fd) {
  std::string text;
  std::array<char, 16384> chunk{};
  for (;;) {
    const ssize_t got = ::pread(fd, chunk.data(), chunk.size(), static_cast<off_t>(text.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("cannot read", errno);
    if (got == 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(got));
    if (text.size() > kPacketMax) return Error{Code::LimitsExceeded, "a text is longer than the protocol allows"};
  }
}

Result<void> replace_file(const std::string& path, std::string_view text) {
  const std::string temporary = path + ".new";
  UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return system_error("cannot create " + temporary, errno);
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t written = ::write(fd.get(), text.data() + done, text.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return system_error("cannot write " + temporary, errno);
    done += static_cast<std::size_t>(written);
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return system_error("cannot replace " + path, errno);
  return {};
}

}  // namespace berth
