#include "daemon/domain/id_ranges.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

namespace berth {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  return first == std::string_view::npos ? std::string_view{} : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<std::uint32_t> parse_id(std::string_view text) {
  std::uint32_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return id;
}

std::optional<IdSpan> parse_span(std::string_view text) {
  const auto dash = text.find('-');
  const auto first = parse_id(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : parse_id(text.substr(dash + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  return IdSpan{*first, *last};
}

/// The next word of `line`, which loses it.
std::string_view take_word(std::string_view& line) {
  line = trimmed(line);
  const auto end = std::min(line.find_first_of(" \t"), line.size());
  const auto word = line.substr(0, end);
  line.remove_prefix(end);
  return word;
}

}  // namespace

Result<std::vector<IdSpan>> parse_id_ranges(std::string_view text) {
  std::vector<IdSpan> ranges;
  while (!text.empty()) {
    const auto comma = text.find(',');
    const auto item = trimmed(text.substr(0, comma));
    const auto range = parse_span(item);
    if (!range) return Error{Code::InvalidArgument, "Item \"" + std::string(item) + "\": Invalid range of ids"};
    ranges.push_back(*range);
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
  }
  return ranges;
}

Result<std::vector<RawIdMapLine>> parse_raw_idmap(std::string_view text) {
  std::vector<RawIdMapLine> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    const std::string whole(line);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    const auto kind = take_word(line);
    if (kind.empty()) continue;
    const auto host = parse_span(take_word(line));
    if (!host || (kind != "uid" && kind != "gid" && kind != "both"))
      return Error{Code::InvalidArgument, "Invalid line of raw.idmap \"" + whole + "\""};
    lines.push_back({kind != "gid", kind != "uid", *host});
  }
  return lines;
}

bool within_ranges(const IdSpan& wanted, const std::vector<IdSpan>& allowed) {
  return std::any_of(allowed.begin(), allowed.end(), [&wanted](const IdSpan& range) {
    return wanted.first >= range.first && wanted.last <= range.last;
  });
}

}  // namespace berth
