#include "daemon/domain/compression.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/names.hpp"

namespace berth {
namespace {

constexpr std::array<std::string_view, 7> kNames{"gzip", "bzip2", "xz", "lzma", "zstd", "lz4", "none"};
constexpr std::size_t kLongest = 64;

Error unknown(std::string_view text) {
  const bool shown = text.size() <= kLongest && !has_control_characters(text);
  return Error{Code::InvalidArgument, "Invalid compression algorithm" + (shown ? " \"" + std::string(text) + "\"" : "") +
                                          ": it is one of bzip2, gzip, lz4, lzma, none, xz and zstd, with a level if "
                                          "wanted (\"gzip -9\")"};
}

}  // namespace

Result<Compression> parse_compression(std::string_view text) {
  if (text.empty()) return Compression{};
  const auto space = text.find(' ');
  auto name = text.substr(0, space);
  if (name == "pigz") name = "gzip";
  if (std::find(kNames.begin(), kNames.end(), name) == kNames.end()) return unknown(text);
  Compression out{.name = std::string(name), .level = {}};
  if (space == std::string_view::npos) return out;
  auto option = text.substr(space + 1);
  if (!option.starts_with('-')) return unknown(text);
  option.remove_prefix(1);
  int level = 0;
  const int highest = name == "zstd" ? 19 : 9;
  const auto [end, failed] = std::from_chars(option.data(), option.data() + option.size(), level);
  const bool right = failed == std::errc() && end == option.data() + option.size() && level >= 1 && level <= highest &&
                     name != "none";
  if (!right) return unknown(text);
  out.level = level;
  return out;
}

}  // namespace berth
