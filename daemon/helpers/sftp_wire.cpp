#include "daemon/helpers/sftp_wire.hpp"

#include <array>
#include <cstdio>
#include <ctime>

namespace berth::helpers::sftp {
namespace {

enum Flag : std::uint32_t { kSize = 1, kOwner = 2, kPermissions = 4, kTimes = 8, kExtended = 0x80000000 };

template <typename Number>
Number from_bytes(std::string_view bytes) {
  Number value = 0;
  for (const char c : bytes) value = static_cast<Number>(value << 8 | static_cast<unsigned char>(c));
  return value;
}

template <typename Number>
void append(std::string& out, Number value) {
  for (unsigned shift = sizeof value * 8; shift > 0; shift -= 8) out += static_cast<char>(value >> (shift - 8) & 0xff);
}

}  // namespace

std::string_view Reader::take(std::size_t size) {
  if (!good_ || rest_.size() < size) {
    good_ = false;
    return {};
  }
  const auto taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

std::uint8_t Reader::byte() { return from_bytes<std::uint8_t>(take(1)); }
std::uint32_t Reader::number() { return from_bytes<std::uint32_t>(take(4)); }
std::uint64_t Reader::large() { return from_bytes<std::uint64_t>(take(8)); }
std::string_view Reader::text() { return take(number()); }

Attributes Reader::attributes() {
  Attributes out;
  const auto flags = number();
  if ((flags & kSize) != 0) out.size = large();
  if ((flags & kOwner) != 0) {
    const auto uid = number();
    out.owner = {uid, number()};
  }
  if ((flags & kPermissions) != 0) out.permissions = number();
  if ((flags & kTimes) != 0) {
    const auto access = number();
    out.times = {access, number()};
  }
  if ((flags & kExtended) != 0)
    for (auto pairs = number(); pairs > 0 && good_; --pairs) {
      (void)text();
      (void)text();
    }
  return out;
}

Writer& Writer::byte(std::uint8_t value) {
  out_ += static_cast<char>(value);
  return *this;
}
Writer& Writer::number(std::uint32_t value) {
  append(out_, value);
  return *this;
}
Writer& Writer::large(std::uint64_t value) {
  append(out_, value);
  return *this;
}
Writer& Writer::text(std::string_view value) {
  number(static_cast<std::uint32_t>(value.size()));
  out_ += value;
  return *this;
}

Writer& Writer::attributes(const struct stat& info) {
  number(kSize | kOwner | kPermissions | kTimes);
  large(static_cast<std::uint64_t>(info.st_size));
  number(info.st_uid).number(info.st_gid).number(info.st_mode);
  return number(static_cast<std::uint32_t>(info.st_atim.tv_sec)).number(static_cast<std::uint32_t>(info.st_mtim.tv_sec));
}

void Writer::patch(std::size_t at, std::uint32_t value) {
  std::string bytes;
  append(bytes, value);
  out_.replace(start_ + at, bytes.size(), bytes);
}

std::string long_name(std::string_view name, const struct stat& info) {
  std::string mode = "?rwxrwxrwx";
  switch (info.st_mode & S_IFMT) {
    case S_IFREG: mode[0] = '-'; break;
    case S_IFDIR: mode[0] = 'd'; break;
    case S_IFLNK: mode[0] = 'l'; break;
    case S_IFIFO: mode[0] = 'p'; break;
    case S_IFSOCK: mode[0] = 's'; break;
    case S_IFBLK: mode[0] = 'b'; break;
    case S_IFCHR: mode[0] = 'c'; break;
    default: break;
  }
  for (unsigned bit = 0; bit < 9; ++bit)
    if ((info.st_mode >> (8 - bit) & 1) == 0) mode[bit + 1] = '-';
  const auto special = [&](unsigned bit, std::size_t at, char letter) {
    if ((info.st_mode & bit) != 0) mode[at] = static_cast<char>(mode[at] == 'x' ? letter : letter - 'a' + 'A');
  };
  special(S_ISUID, 3, 's');
  special(S_ISGID, 6, 's');
  special(S_ISVTX, 9, 't');
  std::array<char, 32> when{};
  tm parts{};
  // UTC: the guest's zone is a file of the guest's.
  if (gmtime_r(&info.st_mtim.tv_sec, &parts) != nullptr) (void)std::strftime(when.data(), when.size(), "%b %d %Y", &parts);
  std::array<char, 160> head{};
  (void)std::snprintf(head.data(), head.size(), "%s %4lu %-8u %-8u %8lld %-12s ", mode.c_str(),
                      static_cast<unsigned long>(info.st_nlink), info.st_uid, info.st_gid,
                      static_cast<long long>(info.st_size), when.data());
  return std::string(head.data()).append(name);
}

}  // namespace berth::helpers::sftp
