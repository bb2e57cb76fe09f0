#include "daemon/adapters/guest/guest_root.hpp"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/tree.hpp"

namespace berth::adapters {

Result<GuestRoot> open_guest_root(const RootSpec& root) {
  GuestRoot out;
  const auto add = [&out](const std::string& path) -> Result<void> {
    BERTH_TRY(UniqueFd folder, open_folder(path));
    out.folders.push_back(std::move(folder));
    return {};
  };
  if (root.kind == RootSpec::Kind::Plain) {
    BERTH_CHECK(add(root.plain));
    return out;
  }
  out.layout = "overlay";
  BERTH_CHECK(add(root.lower));
  BERTH_CHECK(add(root.layer));
  return out;
}

Result<GuestRoot> open_guest_place(const ports::GuestPlace& place) {
  if (place.init_pid == 0) return open_guest_root(place.root);
  UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, place.init_pid, 0)));
  pollfd ended{pidfd.get(), POLLIN, 0};
  // The pid was the container's before the descriptor held a process, and is now: with the process alive it is its.
  if (!pidfd || !place.is_its_init(place.init_pid) || poll(&ended, 1, 0) != 0)
    return Error{Code::FailedPrecondition, "The container isn't running"};
  GuestRoot out{.layout = "running", .folders = {}};
  out.folders.push_back(std::move(pidfd));
  return out;
}

}  // namespace berth::adapters
