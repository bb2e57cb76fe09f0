#include "daemon/helpers/id_shift.hpp"

#include <linux/capability.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>

#include <cstdio>
#include <cstring>

namespace berth::helpers {
namespace {

constexpr std::int64_t kNobody = 65534;

}  // namespace

Result<IdShift> IdShift::parse(std::string_view text) {
  IdShift out;
  if (text == "-") return out;
  while (!text.empty()) {
    const auto comma = text.find(',');
    const std::string one(text.substr(0, comma));
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    unsigned outside = 0, inside = 0, count = 0;
    char kind = 0;
    if (std::sscanf(one.c_str(), "%c%u:%u:%u", &kind, &outside, &inside, &count) != 4 || (kind != 'u' && kind != 'g'))
      return Error{Code::Internal, "a shift is not understood"};
    (kind == 'u' ? out.uids_ : out.gids_).push_back({outside, inside, count});
  }
  return out;
}

std::int64_t IdShift::shifted(const std::vector<Range>& ranges, std::int64_t id) {
  if (ranges.empty() || id < 0) return id;
  for (const Range& range : ranges)
    if (id >= range.outside && id - range.outside < range.count) return range.inside + (id - range.outside);
  return kNobody;
}

std::optional<std::string> IdShift::attribute(std::string_view name, std::string_view value) const {
  std::string out(value);
  if (name == "security.capability") {
    vfs_ns_cap_data data{};
    if (value.size() != sizeof data) return out;  // the older form names no root
    std::memcpy(&data, value.data(), sizeof data);
    // LXD shifts the owners of files on disk, but takes the roots of capabilities back when it packs.
    if (data.rootid != 0 && uid(data.rootid) != 0) return std::nullopt;
    data.magic_etc = (data.magic_etc & ~static_cast<__le32>(VFS_CAP_REVISION_MASK)) | VFS_CAP_REVISION_2;
    out.resize(sizeof(vfs_cap_data));
    std::memcpy(out.data(), &data, out.size());
    return out;
  }
  if (!name.starts_with("system.posix_acl_") || (uids_.empty() && gids_.empty())) return out;
  for (std::size_t at = sizeof(posix_acl_xattr_header); at + sizeof(posix_acl_xattr_entry) <= out.size();
       at += sizeof(posix_acl_xattr_entry)) {
    posix_acl_xattr_entry entry{};
    std::memcpy(&entry, out.data() + at, sizeof entry);
    if (entry.e_tag == ACL_USER) entry.e_id = static_cast<__le32>(uid(entry.e_id));
    if (entry.e_tag == ACL_GROUP) entry.e_id = static_cast<__le32>(gid(entry.e_id));
    std::memcpy(out.data() + at, &entry, sizeof entry);
  }
  return out;
}

}  // namespace berth::helpers
