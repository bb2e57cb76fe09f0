#include "daemon/adapters/lxc/host_facts.hpp"

#include <sched.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <fstream>

#include "base/cgroup.hpp"

namespace berth::lxc {
namespace {

void add_unified(LxcHostFacts& facts, const std::string& mount) {
  std::ifstream file(mount + "/cgroup.controllers");
  for (std::string controller; file >> controller;) facts.controllers.insert(controller);
}

bool in_user_namespace() {
  std::ifstream map("/proc/self/uid_map");
  std::uint64_t inside = 0;
  std::uint64_t outside = 0;
  std::uint64_t count = 0;
  constexpr std::uint64_t kWhole = 4294967295U;
  return !(map >> inside >> outside >> count) || inside != 0 || outside != 0 || count != kWhole;
}

}  // namespace

LxcHostFacts host_facts() {
  LxcHostFacts facts;
  std::string memory_mount;
  facts.unified_cgroups = true;
  for (const auto& hierarchy : cgroup_hierarchies()) {
    if (hierarchy.unified) add_unified(facts, hierarchy.mount);
    for (const auto& controller : hierarchy.controllers) {
      if (controller == "memory") memory_mount = hierarchy.mount;
      if (controller.starts_with("name=")) continue;
      facts.controllers.insert(controller);
      facts.unified_cgroups = false;
    }
  }
  facts.swap_accounting = facts.unified_cgroups
                              ? ::access("/proc/swaps", F_OK) == 0
                              : ::access((memory_mount + "/memory.memsw.limit_in_bytes").c_str(), F_OK) == 0;
  facts.cgroup_namespaces = ::access("/proc/self/ns/cgroup", F_OK) == 0;
  facts.in_user_namespace = in_user_namespace();
  for (const auto& path : lxc_host_paths())
    if (::access(path.c_str(), F_OK) == 0) facts.present_paths.insert(path);
  struct sysinfo info {};
  if (::sysinfo(&info) == 0) facts.memory_bytes = static_cast<std::uint64_t>(info.totalram) * info.mem_unit;
  cpu_set_t usable;
  if (::sched_getaffinity(0, sizeof usable, &usable) == 0)
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu)
      if (CPU_ISSET(cpu, &usable)) facts.cpus.push_back(cpu);
  return facts;
}

}  // namespace berth::lxc
