#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace berth::helpers {

/// Takes ids of a shifted tree, as LXD keeps it on disk, back to those that the guest sees. Without ranges everything stays
/// as it is. An id that no range has is nobody's (65534), as the guest would see it.
class IdShift {
 public:
  /// `uOUTSIDE:INSIDE:COUNT,gOUTSIDE:INSIDE:COUNT,...`; `-` for none.
  static Result<IdShift> parse(std::string_view text);

  std::int64_t uid(std::int64_t id) const { return shifted(uids_, id); }
  std::int64_t gid(std::int64_t id) const { return shifted(gids_, id); }
  /// The value of an extended attribute: ids in ACLs go back, and a file capability of the guest's root loses the root id
  /// that the kernel gave it on the host. Nothing when it cannot be the guest's.
  std::optional<std::string> attribute(std::string_view name, std::string_view value) const;

 private:
  struct Range {
    std::int64_t outside, inside, count;
  };
  static std::int64_t shifted(const std::vector<Range>& ranges, std::int64_t id);

  std::vector<Range> uids_, gids_;
};

}  // namespace berth::helpers
