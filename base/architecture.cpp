#include "base/architecture.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/utsname.h>

namespace berth {
namespace {

constexpr std::array<Architecture, 9> kArchitectures{{
    {1, "i686", "linux32", {"i386", "i586", "386", "x86", "generic_32"}, {""}},
    {2, "x86_64", "linux64", {"amd64", "generic_64"}, {"i686"}},
    {3, "armv7l", "linux32", {"armel", "armhf", "arm", "armhfp", "armv7a_hardfp", "armv7"}, {""}},
    {4, "aarch64", "linux64", {"arm64"}, {"armv7l"}},
    {5, "ppc", "linux32", {"powerpc"}, {""}},
    {6, "ppc64", "linux64", {"powerpc64"}, {"ppc"}},
    {7, "ppc64le", "linux64", {"ppc64el"}, {""}},
    {8, "s390x", "linux64", {}, {""}},
    {14, "riscv64", "linux64", {}, {""}},
}};

}  // namespace

std::span<const Architecture> architectures() { return kArchitectures; }

Result<Architecture> find_architecture(std::string_view name) {
  for (const auto& row : kArchitectures) {
    const bool alias = !name.empty() && std::find(row.aliases.begin(), row.aliases.end(), name) != row.aliases.end();
    if (alias || row.name == name) return row;
  }
  return Error{Code::InvalidArgument, "Architecture isn't supported: " + std::string(name.substr(0, 80))};
}

Result<Architecture> host_architecture() {
  utsname kernel{};
  if (uname(&kernel) != 0) return system_error("uname", errno);
  return find_architecture(kernel.machine);
}

std::vector<std::string> runnable_architectures(const Architecture& host) {
  std::vector<std::string> names{std::string(host.name)};
  for (const auto other : host.also_runs)
    if (!other.empty()) names.emplace_back(other);
  return names;
}

}  // namespace berth
