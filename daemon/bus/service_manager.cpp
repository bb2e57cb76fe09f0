#include "daemon/bus/service_manager.hpp"

#include <fcntl.h>
#include <systemd/sd-daemon.h>

#include <memory>

namespace berth::bus {

Result<UniqueFd> inherited_socket(const std::string& name) {
  char** raw = nullptr;
  const int count = sd_listen_fds_with_names(1, &raw);
  if (count < 0) return system_error("cannot take the sockets of the service manager", -count);
  const auto free_names = [](char** names) {
    for (char** each = names; each != nullptr && *each != nullptr; ++each) free(*each);  // NOLINT: libsystemd's malloc
    free(names);                                                                          // NOLINT
  };
  const std::unique_ptr<char*, decltype(free_names)> names(raw, free_names);
  UniqueFd found;
  for (int i = 0; i < count; ++i) {
    UniqueFd fd{SD_LISTEN_FDS_START + i};
    if (fcntl(fd.get(), F_SETFD, FD_CLOEXEC) != 0) return system_error("cannot keep an inherited socket", errno);
    if (!found && name == names.get()[i]) found = std::move(fd);
  }
  return found;
}

void notify_ready() { (void)sd_notify(0, "READY=1"); }
void notify_stopping() { (void)sd_notify(0, "STOPPING=1"); }

}  // namespace berth::bus
