#include "daemon/domain/idmap.hpp"

#include <algorithm>
#include <charconv>

#include <nlohmann/json.hpp>

namespace berth {
namespace {

constexpr IdRange kDefaultRange{1000000, 1000000000};
constexpr std::uint32_t kIsolatedSize = 65536;

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc{} || parsed.ptr != end || text.empty()) return std::nullopt;
  return value;
}

std::optional<IdRange> parse_line(std::string_view line, std::string_view user, std::uint32_t uid) {
  const auto first = line.find(':');
  const auto second = first == std::string_view::npos ? first : line.find(':', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const auto owner = line.substr(0, first);
  if (owner != user && number(owner) != uid) return std::nullopt;
  const auto start = number(line.substr(first + 1, second - first - 1));
  const auto count = number(line.substr(second + 1));
  if (!start || !count || *count == 0 || std::uint64_t{*start} + *count > UINT32_MAX) return std::nullopt;
  return IdRange{*start, *count};
}

/// Every range of one kind, laid one after the other from guest id 0.
void lay_out(const std::vector<IdRange>& ranges, bool uid, std::vector<IdMapEntry>& out) {
  std::uint64_t inside = 0;
  for (const auto& range : ranges) {
    if (inside + range.count > UINT32_MAX) break;
    out.push_back({uid, static_cast<std::uint32_t>(inside), range.start, range.count});
    inside += range.count;
  }
}

bool overlaps(const IdRange& a, const IdRange& b) {
  return std::uint64_t{a.start} < std::uint64_t{b.start} + b.count && std::uint64_t{b.start} < std::uint64_t{a.start} + a.count;
}

/// A free run of `size` host ids that lies in a uid range and a gid range at once. The first 65536 ids of the first range
/// stay with the containers that share the whole map (LXD's rule).
std::optional<std::uint32_t> free_base(std::uint32_t size, const std::vector<IdRange>& uids, const std::vector<IdRange>& gids,
                                       const std::vector<IdRange>& taken) {
  for (const auto& uid_range : uids) {
    const std::uint64_t end = std::uint64_t{uid_range.start} + uid_range.count;
    std::uint64_t base = uid_range.start;
    if (&uid_range == &uids.front()) base += kIsolatedSize;
    while (base + size <= end) {
      const IdRange wanted{static_cast<std::uint32_t>(base), size};
      const auto clash = std::find_if(taken.begin(), taken.end(), [&wanted](const IdRange& t) { return overlaps(wanted, t); });
      if (clash != taken.end()) {
        base = std::uint64_t{clash->start} + clash->count;
        continue;
      }
      const bool gids_cover = std::any_of(gids.begin(), gids.end(), [&wanted](const IdRange& g) {
        return g.start <= wanted.start && std::uint64_t{g.start} + g.count >= std::uint64_t{wanted.start} + wanted.count;
      });
      if (!gids_cover) break;
      return wanted.start;
    }
  }
  return std::nullopt;
}

std::uint32_t outside_of_zero(const std::vector<IdMapEntry>& entries, bool uid) {
  for (const auto& entry : entries)
    if (entry.uid == uid && entry.inside == 0) return entry.outside;
  return 0;
}

}  // namespace

std::uint32_t IdMap::root_uid() const { return outside_of_zero(entries, true); }
std::uint32_t IdMap::root_gid() const { return outside_of_zero(entries, false); }

std::vector<IdRange> parse_subids(std::string_view text, std::string_view user, std::uint32_t uid) {
  std::vector<IdRange> ranges;
  while (!text.empty()) {
    const auto end = text.find('\n');
    if (const auto range = parse_line(text.substr(0, end), user, uid)) ranges.push_back(*range);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return ranges;
}

Result<IdMap> make_idmap(const IdMapRequest& request, const std::vector<IdRange>& uids, const std::vector<IdRange>& gids,
                         const std::vector<IdRange>& taken) {
  if (request.privileged) return IdMap{};
  const std::vector<IdRange> fallback{kDefaultRange};
  const auto& uid_ranges = uids.empty() ? fallback : uids;
  const auto& gid_ranges = gids.empty() ? fallback : gids;
  IdMap map;
  if (!request.isolated) {
    lay_out(uid_ranges, true, map.entries);
    lay_out(gid_ranges, false, map.entries);
    return map;
  }
  const std::uint32_t size = request.size.value_or(kIsolatedSize);
  const auto base = request.base ? request.base : free_base(size, uid_ranges, gid_ranges, taken);
  if (!base || size == 0) return Error{Code::FailedPrecondition, "Not enough uid/gid available for the container"};
  map.entries.push_back({true, 0, *base, size});
  map.entries.push_back({false, 0, *base, size});
  return map;
}

std::string idmap_to_json(const IdMap& map) {
  auto array = nlohmann::ordered_json::array();
  for (const auto& entry : map.entries)
    array.push_back({{"Isuid", entry.uid},
                     {"Isgid", !entry.uid},
                     {"Hostid", entry.outside},
                     {"Nsid", entry.inside},
                     {"Maprange", entry.count}});
  return array.dump();
}

Result<IdMap> idmap_from_json(std::string_view text) {
  const Error wrong{Code::InvalidArgument, "Invalid id map: it must be LXD's JSON list of ranges"};
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_array()) return wrong;
  IdMap map;
  for (const auto& row : json) {
    for (const auto* key : {"Hostid", "Nsid", "Maprange"})
      if (!row.is_object() || !row.contains(key) || !row[key].is_number_unsigned() || row[key].get<std::uint64_t>() > UINT32_MAX)
        return wrong;
    const auto entry = [&row](bool uid) {
      return IdMapEntry{uid, row["Nsid"].get<std::uint32_t>(), row["Hostid"].get<std::uint32_t>(), row["Maprange"].get<std::uint32_t>()};
    };
    const auto is_true = [&row](const char* key) { return row.contains(key) && row[key] == true; };
    if (is_true("Isuid")) map.entries.push_back(entry(true));
    if (is_true("Isgid")) map.entries.push_back(entry(false));
  }
  return map;
}

}  // namespace berth
