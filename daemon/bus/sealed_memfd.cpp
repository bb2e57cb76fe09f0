#include "daemon/bus/sealed_memfd.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>

namespace berth::bus {
namespace {

constexpr std::chrono::seconds kPatience{10};

}  // namespace

Result<UniqueFd> sealed_memfd(const char* name, std::string_view content) {
  UniqueFd fd{memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING)};
  if (!fd) return system_error("cannot make a memory file", errno);
  while (!content.empty()) {
    const ssize_t written = write(fd.get(), content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_error("cannot fill a memory file", errno);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  if (lseek(fd.get(), 0, SEEK_SET) != 0) return system_error("cannot rewind a memory file", errno);
  if (fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0)
    return system_error("cannot seal a memory file", errno);
  return fd;
}

Result<UniqueFd> sealed_copy(const char* name, int fd, std::size_t limit) {
  std::string content;
  std::array<char, 65536> chunk{};
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd waiting{fd, POLLIN, 0};
    if (left.count() <= 0 || poll(&waiting, 1, static_cast<int>(left.count())) == 0)
      return Error{Code::InvalidArgument, "what is sent did not come to its end in ten seconds"};
    const ssize_t got = read(fd, chunk.data(), chunk.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got < 0) return system_error("cannot read a file", errno);
    if (got == 0) return sealed_memfd(name, content);
    content.append(chunk.data(), static_cast<std::size_t>(got));
    if (content.size() > limit) return Error{Code::LimitsExceeded, "the file is too long"};
  }
}

}  // namespace berth::bus
