#include "daemon/helpers/archive_writer.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/unique_fd.hpp"
#include "daemon/helpers/report.hpp"

namespace berth::helpers {
namespace {

constexpr std::size_t kChunk = 256 << 10;
constexpr std::uint64_t kProgressStep = 1 << 20;
constexpr std::size_t kMaxLevels = 900;  // a descriptor each, below the limit of open files

struct CloseDir {
  void operator()(DIR* dir) const noexcept { closedir(dir); }
};

Error step_error(const std::string& at, int saved_errno) {
  return system_error("cannot pack " + shown(at), saved_errno);
}

Result<void> set_filter(archive* a, const Compression& compression) {
  const std::string& name = compression.name;
  int status = ARCHIVE_OK;
  if (name == "gzip") status = archive_write_add_filter_gzip(a);
  if (name == "bzip2") status = archive_write_add_filter_bzip2(a);
  if (name == "xz") status = archive_write_add_filter_xz(a);
  if (name == "lzma") status = archive_write_add_filter_lzma(a);
  if (name == "zstd") status = archive_write_add_filter_zstd(a);
  if (name == "lz4") status = archive_write_add_filter_lz4(a);
  if (name == "none") status = archive_write_add_filter_none(a);
  // A warning would mean that a program does the work, and there are none here.
  if (status != ARCHIVE_OK) return Error{Code::NotSupported, "this build cannot compress by " + name};
  // The same content is the same file, and so the same fingerprint.
  if (name == "gzip") (void)archive_write_set_filter_option(a, "gzip", "timestamp", nullptr);
  if (compression.level && archive_write_set_filter_option(a, nullptr, "compression-level",
                                                           std::to_string(*compression.level).c_str()) != ARCHIVE_OK)
    return Error{Code::InvalidArgument, name + " has no such level"};
  return {};
}

bool guest_owns(std::string_view name) {
  return name.starts_with("user.") || name.starts_with("system.posix_acl_") || name == "security.capability";
}

}  // namespace

struct ArchiveWriter::Level {
  std::unique_ptr<DIR, CloseDir> dir;
  std::string at;
};

ArchiveWriter::ArchiveWriter(archive* a, std::unique_ptr<Sink> sink)
    : sink_(std::move(sink)),
      archive_(a),
      entry_(archive_entry_new()),
      buffer_(kChunk),
      names_(XATTR_LIST_MAX),
      value_(XATTR_SIZE_MAX) {}

la_ssize_t ArchiveWriter::write_out(archive* a, void* sink, const void* data, std::size_t size) {
  auto& out = *static_cast<Sink*>(sink);
  for (;;) {
    const ssize_t n = ::write(out.fd, data, size);
    if (n >= 0) {
      out.written += static_cast<std::uint64_t>(n);
      if (out.written >= out.reported + kProgressStep) {
        out.reported = out.written;
        report_progress(out.written);
      }
      return n;
    }
    if (errno == EAGAIN) {
      pollfd waiting{out.fd, POLLOUT, 0};
      (void)poll(&waiting, 1, -1);
    } else if (errno != EINTR) {
      out.failure = errno;
      archive_set_error(a, errno, "cannot write the archive");
      return -1;
    }
  }
}

Result<ArchiveWriter> ArchiveWriter::open(const Compression& compression, int target) {
  auto sink = std::make_unique<Sink>();
  sink->fd = target;
  ArchiveWriter writer(archive_write_new(), std::move(sink));
  archive* const a = writer.archive_.get();
  if (a == nullptr || !writer.entry_) return Error{Code::Internal, "libarchive cannot be used"};
  BERTH_CHECK(set_filter(a, compression));
  // Plain headers where they suffice; what they cannot say (long names, attributes, holes) is in pax headers, the
  // attributes in the form that tar(1) and LXD know.
  if (archive_write_set_format_pax_restricted(a) != ARCHIVE_OK) return writer.failure("the archive");
  (void)archive_write_set_format_option(a, "pax", "xattrheader", "SCHILY");
  (void)archive_write_set_bytes_per_block(a, 64 << 10);
  (void)archive_write_set_bytes_in_last_block(a, 1);
  if (archive_write_open(a, writer.sink_.get(), nullptr, &ArchiveWriter::write_out, nullptr) != ARCHIVE_OK)
    return writer.failure("the archive");
  return writer;
}

Error ArchiveWriter::failure(const std::string& at) const {
  if (sink_->failure == EPIPE || sink_->failure == ECONNRESET)
    return Error{Code::Unavailable, "nobody reads the archive any more"};
  if (sink_->failure == ENOSPC || sink_->failure == EDQUOT)
    return Error{Code::Unavailable, "the disk is full: the archive cannot be kept; free some space and try again"};
  const char* const text = archive_error_string(archive_.get());
  return Error{Code::Internal, "cannot pack " + shown(at) + ": " + (text != nullptr ? shown(text) : "libarchive failed")};
}

Result<void> ArchiveWriter::add_header(archive_entry* entry, const std::string& at) {
  const int status = archive_write_header(archive_.get(), entry);
  // A warning tells of a name that is no UTF-8; it is there as it is.
  if (status != ARCHIVE_OK && status != ARCHIVE_WARN) return failure(at);
  return {};
}

Result<void> ArchiveWriter::add_file(const std::string& at, std::string_view text, std::int64_t mtime) {
  archive_entry* const entry = archive_entry_clear(entry_.get());
  archive_entry_set_pathname(entry, at.c_str());
  archive_entry_set_mode(entry, S_IFREG | 0644);
  archive_entry_set_size(entry, static_cast<la_int64_t>(text.size()));
  archive_entry_set_mtime(entry, mtime, 0);
  BERTH_CHECK(add_header(entry, at));
  while (!text.empty()) {
    const la_ssize_t n = archive_write_data(archive_.get(), text.data(), text.size());
    if (n <= 0) return failure(at);
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Result<void> ArchiveWriter::add_tree(const std::string& at, int folder) {
  std::vector<Level> levels;
  Names linked;
  struct stat info {};
  if (fstat(folder, &info) != 0) return step_error(at, errno);
  BERTH_CHECK(add_entry(folder, ".", at, info, linked));
  const auto enter = [&levels](int parent, const char* name, const std::string& path) -> Result<void> {
    if (levels.size() >= kMaxLevels) return Error{Code::LimitsExceeded, shown(path) + " is nested too deeply"};
    UniqueFd fd(openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    DIR* const dir = fd ? fdopendir(fd.get()) : nullptr;
    if (dir == nullptr) return step_error(path, errno);
    (void)fd.release();
    levels.push_back({std::unique_ptr<DIR, CloseDir>(dir), path});
    return {};
  };
  BERTH_CHECK(enter(folder, ".", at));
  while (!levels.empty()) {
    const Level& level = levels.back();
    const dirent* const found = readdir(level.dir.get());
    if (found == nullptr) {
      levels.pop_back();
      continue;
    }
    const std::string name = found->d_name;
    if (name == "." || name == "..") continue;
    const int parent = dirfd(level.dir.get());
    const std::string path = level.at + "/" + name;
    if (fstatat(parent, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) return step_error(path, errno);
    BERTH_CHECK(add_entry(parent, name.c_str(), path, info, linked));
    if (S_ISDIR(info.st_mode)) BERTH_CHECK(enter(parent, name.c_str(), path));
  }
  return {};
}

Result<void> ArchiveWriter::add_entry(int folder, const char* name, const std::string& at, const struct stat& info,
                                      Names& linked) {
  if (S_ISSOCK(info.st_mode)) return {};
  archive_entry* const entry = archive_entry_clear(entry_.get());
  archive_entry_copy_stat(entry, &info);
  archive_entry_set_pathname(entry, at.c_str());
  archive_entry_unset_atime(entry);
  archive_entry_unset_ctime(entry);
  archive_entry_set_size(entry, 0);
  if (!S_ISDIR(info.st_mode) && info.st_nlink > 1) {
    const auto [first, is_new] = linked.try_emplace({info.st_dev, info.st_ino}, at);
    if (!is_new) {
      archive_entry_set_hardlink(entry, first->second.c_str());
      return add_header(entry, at);
    }
  }
  if (S_ISLNK(info.st_mode)) {
    std::string target(PATH_MAX, '\0');
    const ssize_t length = readlinkat(folder, name, target.data(), target.size());
    if (length < 0) return step_error(at, errno);
    target.resize(static_cast<std::size_t>(length));
    archive_entry_set_symlink(entry, target.c_str());
    return add_header(entry, at);
  }
  if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) return add_header(entry, at);
  const UniqueFd file(openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file) return step_error(at, errno);
  BERTH_CHECK(add_attributes(entry, file.get(), at));
  if (S_ISDIR(info.st_mode)) return add_header(entry, at);
  archive_entry_set_size(entry, info.st_size);
  BERTH_CHECK(add_holes(entry, file.get(), info.st_size, at));
  BERTH_CHECK(add_header(entry, at));
  return add_content(file.get(), at, info.st_size);
}

Result<void> ArchiveWriter::add_attributes(archive_entry* entry, int file, const std::string& at) {
  const ssize_t length = flistxattr(file, names_.data(), names_.size());
  if (length < 0 && errno != ENOTSUP) return step_error(at, errno);
  for (ssize_t next = 0; next < length;) {
    const std::string name(names_.data() + next);
    next += static_cast<ssize_t>(name.size()) + 1;
    if (!guest_owns(name)) continue;
    const ssize_t size = fgetxattr(file, name.c_str(), value_.data(), value_.size());
    if (size < 0) return step_error(at, errno);
    archive_entry_xattr_add_entry(entry, name.c_str(), value_.data(), static_cast<std::size_t>(size));
  }
  return {};
}

/// The pieces between a file's holes, when it has any.
Result<bool> ArchiveWriter::add_holes(archive_entry* entry, int file, std::int64_t size, const std::string& at) {
  const off_t first_hole = lseek(file, 0, SEEK_HOLE);
  if (first_hole < 0 || first_hole >= size) return false;
  for (off_t place = 0; place < size;) {
    const off_t data = lseek(file, place, SEEK_DATA);
    if (data < 0 && errno == ENXIO) break;
    const off_t end = data < 0 ? data : lseek(file, data, SEEK_HOLE);
    if (end < 0) return step_error(at, errno);
    archive_entry_sparse_add_entry(entry, data, end - data);
    place = end;
  }
  // A file that is nothing but a hole has one piece, of no bytes, at its end.
  if (archive_entry_sparse_count(entry) == 0) archive_entry_sparse_add_entry(entry, size, 0);
  return true;
}

/// The whole content, holes as zeros: libarchive leaves those out that it was told of. It does not come shorter than it was
/// said to be, whatever happens to the file meanwhile.
Result<void> ArchiveWriter::add_content(int file, const std::string& at, std::int64_t size) {
  if (lseek(file, 0, SEEK_SET) != 0) return step_error(at, errno);
  for (std::int64_t left = size; left > 0;) {
    const auto wanted = static_cast<std::size_t>(std::min<std::int64_t>(left, static_cast<std::int64_t>(buffer_.size())));
    ssize_t n = ::read(file, buffer_.data(), wanted);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return step_error(at, errno);
    if (n == 0) {
      std::fill_n(buffer_.begin(), wanted, '\0');
      n = static_cast<ssize_t>(wanted);
    }
    for (ssize_t done = 0; done < n;) {
      const la_ssize_t taken =
          archive_write_data(archive_.get(), buffer_.data() + done, static_cast<std::size_t>(n - done));
      if (taken <= 0) return failure(at);
      done += taken;
    }
    left -= n;
  }
  return {};
}

Result<void> ArchiveWriter::finish() {
  if (archive_write_close(archive_.get()) != ARCHIVE_OK) return failure("the end of the archive");
  return {};
}

}  // namespace berth::helpers
