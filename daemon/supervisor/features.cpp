#include "daemon/supervisor/features.hpp"

#include <lxc/lxccontainer.h>
#include <unistd.h>

#include <array>
#include <string>

#include "base/helper_process.hpp"

namespace berth::supervisor {
namespace {

constexpr std::array kFeatures{
    "cgroup2",         "core_scheduling",         "devpts_fd",
    "idmapped_mounts_v2", "mount_injection_file", "network_gateway_device_route",
    "network_ipvlan",  "network_l2proxy",         "network_phys_macvlan_mtu",
    "network_veth_router", "pidfd",               "seccomp_allow_deny_syntax",
    "seccomp_notify",  "seccomp_proxy_send_notify_fd"};

}  // namespace

bool tell_features() {
  std::string line = std::string("result ") + lxc_get_version();
  for (const char* feature : kFeatures)
    line += std::string(" ") + feature + (lxc_has_api_extension(feature) ? "=true" : "=false");
  line += "\n";
  return ::write(kHelperReport, line.data(), line.size()) == static_cast<ssize_t>(line.size());
}

}  // namespace berth::supervisor
