#include "daemon/helpers/tar_reader.hpp"

#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>

#include <algorithm>
#include <cstring>

#include "base/helper_process.hpp"
#include "daemon/helpers/check_tree.hpp"
#include "daemon/helpers/confine.hpp"
#include "daemon/helpers/report.hpp"

namespace berth::helpers {
namespace {

constexpr std::size_t kReadSize = 256 << 10;

/// libarchive's tag of an ACL entry as the kernel's.
int kernel_tag(int tag) {
  switch (tag) {
    case ARCHIVE_ENTRY_ACL_USER_OBJ:
      return ACL_USER_OBJ;
    case ARCHIVE_ENTRY_ACL_USER:
      return ACL_USER;
    case ARCHIVE_ENTRY_ACL_GROUP_OBJ:
      return ACL_GROUP_OBJ;
    case ARCHIVE_ENTRY_ACL_GROUP:
      return ACL_GROUP;
    case ARCHIVE_ENTRY_ACL_MASK:
      return ACL_MASK;
    case ARCHIVE_ENTRY_ACL_OTHER:
      return ACL_OTHER;
    default:
      return 0;
  }
}

/// The ACL of one type in the form of its extended attribute; empty when there is none, or when it names accounts by
/// name only (the names are the image's, and the host cannot know their ids).
std::string acl_value(archive_entry* entry, int type) {
  if (archive_entry_acl_reset(entry, type) <= 0) return {};
  std::vector<posix_acl_xattr_entry> entries;
  int entry_type = 0, permset = 0, tag = 0, id = 0;
  const char* name = nullptr;
  while (archive_entry_acl_next(entry, type, &entry_type, &permset, &tag, &id, &name) == ARCHIVE_OK) {
    const int kernel = kernel_tag(tag);
    const bool named = kernel == ACL_USER || kernel == ACL_GROUP;
    if (kernel == 0 || (named && id < 0)) return {};
    posix_acl_xattr_entry out{};
    out.e_tag = static_cast<__le16>(kernel);
    out.e_perm = static_cast<__le16>(permset & 7);
    out.e_id = named ? static_cast<__le32>(id) : 0xffffffffU;
    entries.push_back(out);
  }
  // Three entries are the mode bits again.
  if (entries.size() <= 3 && type == ARCHIVE_ENTRY_ACL_TYPE_ACCESS) return {};
  std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.e_tag < b.e_tag; });
  std::string value(sizeof(posix_acl_xattr_header) + entries.size() * sizeof(posix_acl_xattr_entry), '\0');
  const posix_acl_xattr_header header{POSIX_ACL_XATTR_VERSION};
  std::memcpy(value.data(), &header, sizeof header);
  std::memcpy(value.data() + sizeof header, entries.data(), entries.size() * sizeof(posix_acl_xattr_entry));
  return value;
}

bool guest_may_own(std::string_view xattr) {
  return xattr.starts_with("user.") || xattr == "security.capability" || xattr == "system.posix_acl_access" ||
         xattr == "system.posix_acl_default";
}

}  // namespace

Result<TarReader> TarReader::open() {
  TarReader reader(archive_read_new());
  archive* const a = reader.archive_.get();
  if (a == nullptr) return Error{Code::Internal, "libarchive cannot be used"};
  // By name: the filters that start programs stay out. The return values say "not built in", which a member then tells.
  (void)archive_read_support_filter_gzip(a);
  (void)archive_read_support_filter_bzip2(a);
  (void)archive_read_support_filter_xz(a);
  (void)archive_read_support_filter_lzma(a);
  (void)archive_read_support_filter_zstd(a);
  (void)archive_read_support_filter_lz4(a);
  (void)archive_read_support_format_tar(a);
  if (archive_read_open_fd(a, kHelperInput, kReadSize) != ARCHIVE_OK) return reader.failure();
  return reader;
}

Error TarReader::failure() const {
  const char* const text = archive_error_string(archive_.get());
  std::string message = "the archive is damaged, truncated or of an unknown kind";
  if (text != nullptr) message += " (" + shown(text) + ")";
  if (!member_.empty()) message += ", at or after the member " + shown(member_);
  return Error{Code::InvalidArgument, message};
}

Result<archive_entry*> TarReader::next() {
  archive_entry* entry = nullptr;
  const int status = archive_read_next_header(archive_.get(), &entry);
  if (status == ARCHIVE_EOF) return static_cast<archive_entry*>(nullptr);
  if (status != ARCHIVE_OK && status != ARCHIVE_WARN) return failure();
  const char* const name = archive_entry_pathname(entry);
  if (name == nullptr || *name == '\0')
    return Error{Code::InvalidArgument, "the archive has a member without a readable name, after " + shown(member_)};
  member_ = name;
  return entry;
}

Result<std::optional<TarReader::Block>> TarReader::next_block() {
  const void* data = nullptr;
  std::size_t size = 0;
  la_int64_t offset = 0;
  const int status = archive_read_data_block(archive_.get(), &data, &size, &offset);
  if (status == ARCHIVE_EOF) return std::optional<Block>();
  if (status != ARCHIVE_OK && status != ARCHIVE_WARN) return failure();
  return std::optional<Block>(Block{static_cast<const char*>(data), size, static_cast<std::uint64_t>(offset)});
}

std::uint64_t TarReader::consumed() const {
  return static_cast<std::uint64_t>(std::max<la_int64_t>(archive_filter_bytes(archive_.get(), -1), 0));
}

Result<Attributes> attributes_of(archive_entry* entry, const std::string& path, bool& overlay_marks,
                                 const IdShift& shift) {
  Attributes out;
  const la_int64_t uid = shift.uid(archive_entry_uid(entry)), gid = shift.gid(archive_entry_gid(entry));
  if (uid < 0 || gid < 0 || uid >= kIdCount || gid >= kIdCount)
    return Error{Code::InvalidArgument, "the member " + shown(path) + " has an owner that no container can have"};
  out.uid = static_cast<uid_t>(uid);
  out.gid = static_cast<gid_t>(gid);
  out.mode = archive_entry_perm(entry) & 07777;
  out.mtime = {archive_entry_mtime(entry), archive_entry_mtime_nsec(entry)};
  const auto type = archive_entry_filetype(entry);
  const bool carries = type == AE_IFREG || type == AE_IFDIR;
  archive_entry_xattr_reset(entry);
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
    overlay_marks = overlay_marks || is_overlay_attribute(name);
    if (!carries || !guest_may_own(name)) continue;
    if (auto shifted = shift.attribute(name, {static_cast<const char*>(value), size}))
      out.xattrs.emplace_back(name, *std::move(shifted));
  }
  if (!carries) return out;
  if (std::string acl = acl_value(entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS); !acl.empty())
    out.xattrs.emplace_back("system.posix_acl_access", std::move(acl));
  if (std::string acl = acl_value(entry, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT); type == AE_IFDIR && !acl.empty())
    out.xattrs.emplace_back("system.posix_acl_default", std::move(acl));
  return out;
}

}  // namespace berth::helpers
