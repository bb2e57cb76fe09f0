#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace berth {

/// How an archive that is made here is compressed.
struct Compression {
  std::string name = "gzip";  ///< gzip, bzip2, xz, lzma, zstd, lz4, none
  std::optional<int> level;   ///< none: the format's own default
};

/// Reads what LXD's `compression_algorithm` says: a name, and a level as a program takes it ("gzip -9", "zstd -19").
/// Empty is `gzip`; `pigz` is gzip by another name. No program is run, so other options are refused.
/// Errors: InvalidArgument naming what is known.
Result<Compression> parse_compression(std::string_view text);

}  // namespace berth
