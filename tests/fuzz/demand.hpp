#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace berth::fuzz {

/// Ends the program when `met` is false, and says on standard error what was demanded: libFuzzer takes that for a finding.
inline void demand(bool met, std::string_view what) {
  if (met) return;
  std::fprintf(stderr, "not so: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

}  // namespace berth::fuzz
