#pragma once

#include "base/result.hpp"

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

/// A processor architecture as the API knows it.
struct Architecture {
  int id;                                     ///< LXD's number
  std::string_view name;                      ///< the kernel's: x86_64
  std::string_view personality;               ///< liblxc's `lxc.arch`: linux64, linux32
  std::array<std::string_view, 6> aliases;    ///< other names that are understood; empty ones are padding
  std::array<std::string_view, 1> also_runs;  ///< architectures whose programs it runs; empty = none
};

std::span<const Architecture> architectures();

/// By name or alias. Errors: InvalidArgument `Architecture isn't supported: X`.
Result<Architecture> find_architecture(std::string_view name);

/// The kernel name this host runs containers of first: uname's machine, as the table spells it.
Result<Architecture> host_architecture();

/// Names of what `host` runs, its own first.
std::vector<std::string> runnable_architectures(const Architecture& host);

}  // namespace berth
