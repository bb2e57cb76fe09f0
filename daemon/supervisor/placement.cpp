#include "daemon/supervisor/placement.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include "base/cgroup.hpp"
#include "daemon/domain/supervisor_protocol.hpp"

namespace berth::supervisor {

std::string settle(const std::string& unit) {
  const auto places = cgroups_of(::getpid());
  if (!places) return std::string(kCgroupParent);
  for (const auto& place : *places) {
    const bool systemd_owns = place.hierarchy.unified || place.has("name=systemd");
    if (!systemd_owns || !place.path.ends_with("/" + unit)) continue;
    if (place.hierarchy.unified && places->size() == 1) {
      const std::string own = place.folder() + "/berth-supervisor";
      (void)::mkdir(own.c_str(), 0755);
      (void)write_text(own + "/cgroup.procs", "0");
    }
    return place.path.substr(1);
  }
  return std::string(kCgroupParent);
}

}  // namespace berth::supervisor
