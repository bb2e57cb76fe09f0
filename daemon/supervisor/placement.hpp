#pragma once

#include <string>

namespace berth::supervisor {

/// Finds the cgroup folder below which liblxc makes the container's: the unit's own where systemd started us, else Berth's.
/// On a pure unified hierarchy, where a folder with processes may not hand controllers down, this process moves from the
/// unit's folder into one below it. Without a leading slash.
std::string settle(const std::string& unit);

}  // namespace berth::supervisor
