#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

/// The words of SFTP version 3 (draft-ietf-secsh-filexfer-02). Numbers are big-endian; a text is its length and its bytes.
namespace berth::helpers::sftp {

inline constexpr std::uint32_t kVersion = 3;
inline constexpr std::size_t kMaxPacket = 256 * 1024;        ///< without the four bytes of its length, as OpenSSH has it
inline constexpr std::size_t kMaxData = kMaxPacket - 1024;   ///< of one read or write

enum class Type : std::uint8_t {
  Init = 1, Version, Open, Close, Read, Write, Lstat, Fstat, Setstat, Fsetstat, Opendir, Readdir, Remove, Mkdir, Rmdir,
  Realpath, Stat, Rename, Readlink, Symlink,
  Status = 101, Handle, Data, Name, Attrs,
  Extended = 200, ExtendedReply,
};

enum class Status : std::uint32_t { Ok, Eof, NoSuchFile, PermissionDenied, Failure, BadMessage, Unsupported = 8 };

/// What a client wants of a file; what is not there stays as it is.
struct Attributes {
  std::optional<std::uint64_t> size;
  std::optional<std::pair<std::uint32_t, std::uint32_t>> owner;  ///< uid, gid
  std::optional<std::uint32_t> permissions;
  std::optional<std::pair<std::uint32_t, std::uint32_t>> times;  ///< of access and change, seconds since the epoch
};

/// Takes a packet apart. Whatever the bytes are: what is not there reads as nothing, and good() is false from then on.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  std::uint8_t byte();
  std::uint32_t number();
  std::uint64_t large();
  /// It lives as long as the packet.
  std::string_view text();
  Attributes attributes();
  bool good() const noexcept { return good_; }

 private:
  std::string_view take(std::size_t size);

  std::string_view rest_;
  bool good_ = true;
};

/// Appends one packet to `out`, its length included, which end() fills in.
class Writer {
 public:
  Writer(std::string& out, Type type) : out_(out), start_(out.size()) {
    number(0);
    byte(static_cast<std::uint8_t>(type));
  }
  Writer& byte(std::uint8_t value);
  Writer& number(std::uint32_t value);
  Writer& large(std::uint64_t value);
  Writer& text(std::string_view value);
  Writer& attributes(const struct stat& info);
  /// The bytes so far, of this packet.
  std::size_t size() const noexcept { return out_.size() - start_; }
  /// Overwrites the number at `at`, a size() of before.
  void patch(std::size_t at, std::uint32_t value);
  void end() { patch(0, static_cast<std::uint32_t>(size() - 4)); }

 private:
  std::string& out_;
  std::size_t start_;
};

/// One entry of a folder as `ls -l` shows it.
std::string long_name(std::string_view name, const struct stat& info);

}  // namespace berth::helpers::sftp
