#include "daemon/adapters/lxc/features.hpp"

#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <sstream>

#include "base/helper_process.hpp"
#include "base/unique_fd.hpp"

namespace berth::lxc {
namespace {

const char* word(bool has) { return has ? "true" : "false"; }

/// Some features leave no trace but the version they came with.
bool kernel_is_at_least(int major, int minor) {
  utsname host{};
  int has_major = 0;
  int has_minor = 0;
  if (::uname(&host) != 0 || std::sscanf(host.release, "%d.%d", &has_major, &has_minor) != 2) return false;
  return has_major > major || (has_major == major && has_minor >= minor);
}

bool has_system_call(long number) {
  return ::syscall(number, -1, nullptr, ~0U, nullptr, 0) >= 0 || errno != ENOSYS;
}

bool has_seccomp_listener() {
  seccomp_notif_sizes sizes{};
  return ::syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) == 0;
}

/// Addresses of another network namespace by its id came together with strict checking of requests.
bool has_netnsid_addresses() {
  const UniqueFd socket{::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)};
  const int on = 1;
  return socket && ::setsockopt(socket.get(), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on) == 0;
}

}  // namespace

Result<LxcFeatures> lxc_features(const std::string& supervisor) {
  BERTH_TRY(const auto told, run_helper(supervisor, {"--features"}, -1, {}));
  std::istringstream words(told);
  LxcFeatures found;
  words >> found.version;
  for (std::string each; words >> each;) {
    const auto equals = each.find('=');
    if (equals != std::string::npos) found.features[each.substr(0, equals)] = each.substr(equals + 1);
  }
  if (found.version.empty()) return Error{Code::Internal, supervisor + " does not tell its version of liblxc"};
  return found;
}

std::map<std::string, std::string> kernel_features() {
  const bool listener = has_seccomp_listener();
  return {{"idmapped_mounts", word(has_system_call(SYS_mount_setattr))},
          {"netnsid_getifaddrs", word(has_netnsid_addresses())},
          {"seccomp_listener", word(listener)},
          {"seccomp_listener_continue", word(listener && kernel_is_at_least(5, 5))},
          {"shiftfs", word(false)},
          {"uevent_injection", word(kernel_is_at_least(4, 18))},
          {"unpriv_fscaps", word(kernel_is_at_least(4, 14))}};
}

}  // namespace berth::lxc
