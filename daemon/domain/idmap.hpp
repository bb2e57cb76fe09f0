#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace berth {

/// One line of an id map, as in /proc/PID/uid_map.
struct IdMapEntry {
  bool uid = true;  ///< false: a gid range
  std::uint32_t inside = 0;
  std::uint32_t outside = 0;
  std::uint32_t count = 0;
  friend bool operator==(const IdMapEntry&, const IdMapEntry&) = default;
};

/// Guest ids to host ids. Empty for a privileged container.
struct IdMap {
  std::vector<IdMapEntry> entries;
  bool privileged() const noexcept { return entries.empty(); }
  /// The host uid of guest uid 0; 0 when privileged.
  std::uint32_t root_uid() const;
  std::uint32_t root_gid() const;
  friend bool operator==(const IdMap&, const IdMap&) = default;
};

/// A range of host ids that was delegated to root.
struct IdRange {
  std::uint32_t start = 0;
  std::uint32_t count = 0;
};

/// The ranges that `user` (or its decimal uid) has in a file of /etc/subuid's form, in file order. Lines that are not of
/// that form are passed over, as newuidmap(1) does.
std::vector<IdRange> parse_subids(std::string_view text, std::string_view user, std::uint32_t uid);

/// What an instance asks of its map: `security.privileged`, `security.idmap.*`.
struct IdMapRequest {
  bool privileged = false;
  bool isolated = false;
  std::optional<std::uint32_t> size;
  std::optional<std::uint32_t> base;
};

/// The map for one instance. `taken` are the host ranges of other isolated instances. No ranges at all: 1000000:1000000000.
/// Errors: FailedPrecondition "Not enough uid/gid available for the container".
Result<IdMap> make_idmap(const IdMapRequest& request, const std::vector<IdRange>& uids, const std::vector<IdRange>& gids,
                         const std::vector<IdRange>& taken);

/// LXD's JSON form: [{"Isuid":true,"Isgid":false,"Hostid":1000000,"Nsid":0,"Maprange":65536}].
std::string idmap_to_json(const IdMap& map);
Result<IdMap> idmap_from_json(std::string_view text);

}  // namespace berth
