#include "daemon/adapters/lxc/cgroup_wakeup.hpp"

#include <unistd.h>

#include <system_error>

#include "base/cgroup.hpp"

namespace berth::lxc {
namespace {

/// One hierarchy is enough: the lock is one for all. That it cannot be written costs no more than the wait.
void move_to_own_place() {
  const auto places = cgroups_of(::getpid());
  if (!places) return;
  for (const auto& place : *places)
    if (write_text(place.folder() + "/cgroup.procs", "0")) return;
}

}  // namespace

CgroupWakeup::CgroupWakeup() {
  try {
    move_ = std::jthread(move_to_own_place);
  } catch (const std::system_error&) {  // no thread to be had: the start waits instead
  }
}

}  // namespace berth::lxc
