#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "daemon/domain/compression.hpp"

struct stat;

namespace berth::helpers {

/// Writes a compressed tar (POSIX pax) to a descriptor, which may be one that does not block. Trees are walked by
/// descriptor and without following a symlink (rule 2): owners, modes, times, holes, hard links, FIFOs, device nodes, and
/// the extended attributes that a guest may own. Sockets are left out, as LXD leaves them.
/// Errors name the file; Unavailable when nobody reads or the disk is full.
class ArchiveWriter {
 public:
  static Result<ArchiveWriter> open(const Compression& compression, int target);
  ArchiveWriter(ArchiveWriter&&) = default;

  /// A plain file of root's with mode 0644.
  Result<void> add_file(const std::string& at, std::string_view text, std::int64_t mtime);
  /// The tree below `folder`, as `at`.
  Result<void> add_tree(const std::string& at, int folder);
  /// Writes the end. Without it the archive is truncated.
  Result<void> finish();
  /// Bytes that went out.
  std::uint64_t written() const noexcept { return sink_->written; }

 private:
  struct Free {
    /// Freeing would write the end, and make what broke off look whole.
    void operator()(archive* a) const noexcept {
      (void)archive_write_fail(a);
      archive_write_free(a);
    }
    void operator()(archive_entry* e) const noexcept { archive_entry_free(e); }
  };
  /// What libarchive's callback writes to; it does not move.
  struct Sink {
    int fd = -1;
    std::uint64_t written = 0;
    std::uint64_t reported = 0;
    int failure = 0;  ///< errno of a write
  };
  struct Level;
  using Names = std::map<std::pair<dev_t, ino_t>, std::string>;

  ArchiveWriter(archive* a, std::unique_ptr<Sink> sink);
  static la_ssize_t write_out(archive* a, void* sink, const void* data, std::size_t size);
  Error failure(const std::string& at) const;
  Result<void> add_header(archive_entry* entry, const std::string& at);
  Result<void> add_entry(int folder, const char* name, const std::string& at, const struct stat& info, Names& linked);
  Result<void> add_content(int file, const std::string& at, std::int64_t size);
  Result<void> add_attributes(archive_entry* entry, int file, const std::string& at);
  Result<bool> add_holes(archive_entry* entry, int file, std::int64_t size, const std::string& at);

  std::unique_ptr<Sink> sink_;  ///< declared first: the archive writes to it when it is freed
  std::unique_ptr<archive, Free> archive_;
  std::unique_ptr<archive_entry, Free> entry_;
  std::vector<char> buffer_, names_, value_;
};

}  // namespace berth::helpers
