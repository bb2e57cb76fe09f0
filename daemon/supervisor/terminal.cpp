#include "daemon/supervisor/terminal.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>

namespace berth::supervisor {

Result<Terminal> open_terminal(lxc_container& container, std::uint32_t owner, std::uint32_t group, std::uint16_t width,
                               std::uint16_t height) {
  const UniqueFd devpts(container.devpts_fd(&container));
  if (!devpts) return Error{Code::FailedPrecondition, "the container has no pseudo terminals"};
  struct statfs info {};
  if (::fstatfs(devpts.get(), &info) != 0 || info.f_type != DEVPTS_SUPER_MAGIC)
    return Error{Code::FailedPrecondition, "the container's pseudo terminals are not a devpts file system"};
  Terminal terminal;
  terminal.master.reset(::openat(devpts.get(), "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!terminal.master) return system_error("cannot open a terminal in the container", errno);
  const int unlocked = 0;
  if (::ioctl(terminal.master.get(), TIOCSPTLCK, &unlocked) != 0)
    return system_error("cannot unlock a terminal in the container", errno);
  terminal.slave.reset(::ioctl(terminal.master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!terminal.slave) return system_error("cannot open the other side of a terminal", errno);
  if (::fchown(terminal.slave.get(), owner, group) != 0) return system_error("cannot give a terminal its owner", errno);
  if (width != 0 && height != 0) {
    const winsize size{.ws_row = height, .ws_col = width, .ws_xpixel = 0, .ws_ypixel = 0};
    (void)::ioctl(terminal.master.get(), TIOCSWINSZ, &size);
  }
  return terminal;
}

}  // namespace berth::supervisor
