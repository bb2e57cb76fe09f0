#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace berth {

/// One mounted cgroup hierarchy of this machine.
struct CgroupHierarchy {
  std::string mount;                     ///< where it is mounted
  std::vector<std::string> controllers;  ///< v1: `memory`, `name=systemd`...; empty for the unified one
  bool unified = false;
};

/// A process's place in one hierarchy, as an absolute folder on this machine.
struct CgroupPlace {
  CgroupHierarchy hierarchy;
  std::string path;  ///< below the mount, with a leading slash
  std::string folder() const { return hierarchy.mount + path; }
  bool has(std::string_view controller) const;
};

/// The hierarchies in this process's mount namespace.
std::vector<CgroupHierarchy> cgroup_hierarchies();
/// Where `pid` stands in each hierarchy; NotFound when there is no such process.
Result<std::vector<CgroupPlace>> cgroups_of(pid_t pid);

/// The name liblxc gives a container's cgroup: the processes of the guest are below it.
inline constexpr std::string_view kPayloadPrefix = "lxc.payload.";
inline constexpr std::string_view kMonitorPrefix = "lxc.monitor.";

/// `path` up to and with the outermost component that begins with kPayloadPrefix: a guest may make folders of that name
/// further down, which count for nothing. Empty when there is none.
std::string_view payload_root(std::string_view path);
/// The container's name in such a path (36 characters of uuid); empty when there is none.
std::string_view payload_name(std::string_view path);

/// Removes the folders `lxc.payload.NAME*` and `lxc.monitor.NAME*` in `parent` of every hierarchy, from the leaves up.
/// Processes that are still inside are killed first when `kill` is set. True when nothing is left.
bool remove_container_cgroups(const std::string& parent, std::string_view name, bool kill);

/// A file of digits, such as memory.usage_in_bytes; nullopt when it is absent or says `max`.
std::optional<std::uint64_t> read_number(const std::string& file);
/// Writes a short text to a kernel file.
Result<void> write_text(const std::string& file, std::string_view text);

}  // namespace berth
