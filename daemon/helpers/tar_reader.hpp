#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "daemon/helpers/id_shift.hpp"
#include "daemon/helpers/tree_writer.hpp"

namespace berth::helpers {

/// A tarball on the standard input, its compression found by its content (gzip, bzip2, xz, lzma, zstd, lz4, none).
class TarReader {
 public:
  static Result<TarReader> open();

  /// The next member's header; nullptr at the end. It belongs to the reader until the next call.
  /// Errors: InvalidArgument: not an archive, truncated, damaged.
  Result<archive_entry*> next();
  struct Block {
    const char* data = nullptr;
    std::size_t size = 0;
    std::uint64_t offset = 0;
  };
  /// The next piece of the member's content; nullopt at its end.
  Result<std::optional<Block>> next_block();
  /// Bytes read from the input.
  std::uint64_t consumed() const;

 private:
  struct Free {
    void operator()(archive* a) const noexcept { archive_read_free(a); }
  };
  explicit TarReader(archive* a) : archive_(a) {}
  Error failure() const;

  std::unique_ptr<archive, Free> archive_;
  std::string member_;  ///< the last one seen, for error texts
};

/// Owner, mode, time and those extended attributes that a guest may own: `user.*`, `security.capability` and POSIX
/// ACLs. Others belong to the host: `trusted.*` and labels of security modules are passed over. `overlay_marks` is set
/// when there is one that overlayfs gives a meaning. Errors: InvalidArgument for an owner that no guest can have.
/// Ids go back by `shift`.
Result<Attributes> attributes_of(archive_entry* entry, const std::string& path, bool& overlay_marks,
                                 const IdShift& shift = {});

}  // namespace berth::helpers
