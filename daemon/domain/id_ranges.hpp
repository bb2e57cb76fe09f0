#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace berth {

/// Ids from `first` to `last`, both among them.
struct IdSpan {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
};

/// `1000` and `1000-2000`, separated by commas. Errors: InvalidArgument names the item.
Result<std::vector<IdSpan>> parse_id_ranges(std::string_view text);

/// One line of `raw.idmap`.
struct RawIdMapLine {
  bool uids = false, gids = false;
  IdSpan host;
};

/// The host ids that `raw.idmap` asks for. Errors: InvalidArgument names the line.
Result<std::vector<RawIdMapLine>> parse_raw_idmap(std::string_view text);

/// Whether every id of `wanted` is in one of `allowed`.
bool within_ranges(const IdSpan& wanted, const std::vector<IdSpan>& allowed);

}  // namespace berth
