#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace berth::helpers {

/// The ids a confined helper runs under: the upper half of the id space, which no guest's map and no account of the
/// host uses. Through its idmapped mounts these are 0 and up on disk.
inline constexpr unsigned kIdBase = 0x80000000U;
inline constexpr unsigned kIdCount = 0x7ffffff0U;

/// A folder (or a regular file) that the confined process may reach, at `at` of its own root, ids unshifted.
struct Share {
  int fd = -1;
  std::string at;  ///< one element: "rootfs"
  bool read_only = false;
};

/// An overlay of two shares' folders, mounted inside the confinement with the options a container's root gets.
struct OverlayShare {
  std::string lower;  ///< as overlayfs wants it: "/upper:/lower" for a read-only view
  std::string upper;  ///< empty: read-only
  std::string work;
  std::string at;
};

struct Confinement {
  std::vector<Share> shares;
  std::vector<OverlayShare> overlays;
  bool programs = false;             ///< sees /usr and may run programs (unsquashfs)
  /// May speak to servers: the host's network, and the files by which names and certificates are looked up. For work that
  /// has no files of its own, so it keeps no capability at all.
  bool network = false;
  unsigned descriptors = 0;          ///< how many after the report pipe stay open
  unsigned long memory = 1UL << 30;  ///< bytes of address space
  unsigned long cpu_seconds = 3600;
  unsigned long file_size = 1UL << 40;  ///< bytes of the largest file; holes count
};

/// Runs `work` in a child process without any privilege over the host (rule 3): a user namespace with a shifted map,
/// private mount, network, IPC and UTS namespaces, a root folder that holds nothing but the shares, the capabilities
/// that unpacking needs and no others, no_new_privs, limits and a seccomp filter. The standard input and the report
/// pipe stay open. `work` reports by report.hpp and returns the exit status. `watch` is called in this process, still
/// privileged, every 100 ms with the child's pid; true ends the child. Returns the child's wait status. Errors are the
/// set-up's.
Result<int> run_confined(const Confinement& confinement, const std::function<int()>& work,
                         const std::function<bool(int pid)>& watch = {});

/// What a confined process does, for its filter.
enum class ConfinedWork { Files, Programs, Network };

/// Gives up every capability but those that work on the files of a tree needs. `for_programs` also takes them from what
/// programs could get that are started later, which needs CAP_SETPCAP in the process's user namespace.
Result<void> keep_file_capabilities(bool for_programs);

/// The filter of the confined process: work on files, widened by what a multi-threaded program or a client of servers
/// needs. In seccomp.cpp.
Result<void> install_seccomp_filter(ConfinedWork work);

}  // namespace berth::helpers
