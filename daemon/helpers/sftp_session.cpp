#include "daemon/helpers/sftp_session.hpp"

#include <fcntl.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace berth::helpers::sftp {
namespace {

constexpr std::size_t kNamesAtOnce = 128;
constexpr std::size_t kNamesSize = 64 * 1024;  // about, of one answer

Status status_of(int failure) {
  switch (failure) {
    case 0: return Status::Ok;
    case ENOENT: return Status::NoSuchFile;
    case EACCES:
    case EPERM:
    case EROFS: return Status::PermissionDenied;
    case EBADMSG: return Status::BadMessage;
    case EOPNOTSUPP:
    case ENOSYS: return Status::Unsupported;
    default: return Status::Failure;
  }
}

}  // namespace

/// A request that is being answered.
struct Session::Request {
  Type type;
  std::uint32_t id;
  Reader in;
  std::string& out;

  std::string path() {
    const auto text = in.text();
    if (text.find('\0') != std::string_view::npos) bad_path = true;
    std::string path(text);
    return path.empty() || path.front() != '/' ? "/" + path : path;
  }
  Writer begin(Type kind) {
    Writer writer(out, kind);
    writer.number(id);
    return writer;
  }
  void finish(Status status, const char* text) {
    begin(Type::Status).number(static_cast<std::uint32_t>(status)).text(text).text("en").end();
  }
  void finish(int failure) { finish(status_of(failure), failure == 0 ? "Success" : std::strerror(failure)); }
  /// Whether everything could be read; a refusal is answered otherwise.
  bool sound() {
    if (in.good() && !bad_path) return true;
    finish(in.good() ? EINVAL : EBADMSG);
    return false;
  }
  void attributes(const struct stat& info) { begin(Type::Attrs).attributes(info).end(); }
  void name(std::string_view text) {
    auto writer = begin(Type::Name);
    writer.number(1).text(text).text(text).number(0).end();
  }

  bool bad_path = false;
};

bool Session::answer(std::string_view packet, std::string& out) {
  Reader in(packet);
  const auto type = static_cast<Type>(in.byte());
  const auto id = in.number();  // of the first packet: the client's version
  if (!in.good() || (type == Type::Init) == begun_) return false;
  if (type == Type::Init) {
    begun_ = true;
    Writer version(out, Type::Version);
    version.number(kVersion);
    for (const char* const name : {"posix-rename@openssh.com", "hardlink@openssh.com", "fsync@openssh.com",
                                   "lsetstat@openssh.com", "limits@openssh.com"})
      version.text(name).text("1");
    for (const char* const name : {"statvfs@openssh.com", "fstatvfs@openssh.com"}) version.text(name).text("2");
    version.end();
    return true;
  }
  Request request{.type = type, .id = id, .in = in, .out = out};
  if (const Verb verb = verb_of(type); verb != nullptr)
    (this->*verb)(request);
  else
    request.finish(Status::Unsupported, "not known here");
  return true;
}

Session::Verb Session::verb_of(Type type) {
  switch (type) {
    case Type::Open: return &Session::open;
    case Type::Close: return &Session::close;
    case Type::Read: return &Session::read;
    case Type::Write: return &Session::write;
    case Type::Lstat: return &Session::look_at_link;
    case Type::Fstat: return &Session::look_at_handle;
    case Type::Setstat: return &Session::change;
    case Type::Fsetstat: return &Session::change_handle;
    case Type::Opendir: return &Session::open_folder;
    case Type::Readdir: return &Session::read_folder;
    case Type::Remove: return &Session::remove;
    case Type::Mkdir: return &Session::make_folder;
    case Type::Rmdir: return &Session::remove_folder;
    case Type::Realpath: return &Session::real_path;
    case Type::Stat: return &Session::look;
    case Type::Rename: return &Session::rename;
    case Type::Readlink: return &Session::read_link;
    case Type::Symlink: return &Session::make_link;
    case Type::Extended: return &Session::extended;
    default: return nullptr;
  }
}

Session::Handle* Session::handle_of(std::string_view name) {
  Reader reader(name);
  const auto number = reader.number();
  const auto found = handles_.find(number);
  return reader.good() && name.size() == 4 && found != handles_.end() ? &found->second : nullptr;
}

int Session::file_of(std::string_view name) {
  const auto* const handle = handle_of(name);
  return handle != nullptr ? handle->file.get() : -1;
}

void Session::give_handle(Request& request, Handle handle) {
  if (handles_.size() >= kMaxHandles) return request.finish(EMFILE);
  while (handles_.contains(++last_handle_)) {
  }
  handles_.emplace(last_handle_, std::move(handle));
  request.begin(Type::Handle).number(4).number(last_handle_).end();
}

void Session::open(Request& request) {
  enum Flag : std::uint32_t { kRead = 1, kWrite = 2, kAppend = 4, kCreate = 8, kTruncate = 16, kExclusive = 32 };
  const auto path = request.path();
  const auto flags = request.in.number();
  const auto attributes = request.in.attributes();
  if (!request.sound()) return;
  const auto has = [flags](Flag flag) { return (flags & flag) != 0; };
  Handle handle;
  const int failed = files_.open(path,
                                 {.read = has(kRead),
                                  .write = has(kWrite),
                                  .append = has(kAppend),
                                  .create = has(kCreate),
                                  .truncate = has(kTruncate),
                                  .exclusive = has(kExclusive)},
                                 attributes, handle.file);
  if (failed != 0) return request.finish(failed);
  give_handle(request, std::move(handle));
}

void Session::close(Request& request) {
  const auto name = request.in.text();
  if (handle_of(name) == nullptr) return request.finish(EBADF);
  handles_.erase(Reader(name).number());
  request.finish(0);
}

void Session::read(Request& request) {
  const int file = file_of(request.in.text());
  const auto at = request.in.large();
  const std::size_t wanted = std::min<std::size_t>(request.in.number(), kMaxData);
  if (!request.sound()) return;
  if (file < 0) return request.finish(EBADF);
  if (at > static_cast<std::uint64_t>(INT64_MAX)) return request.finish(EINVAL);
  const auto start = request.out.size();
  auto writer = request.begin(Type::Data);
  const auto length_at = writer.size();
  writer.number(0);
  const auto data = request.out.size();
  request.out.resize(data + wanted);
  std::size_t got = 0;
  while (got < wanted) {
    const ssize_t n = pread(file, request.out.data() + data + got, wanted - got, static_cast<off_t>(at + got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && got == 0) {
      const int failed = errno;
      request.out.resize(start);
      return request.finish(failed);
    }
    if (n <= 0) break;
    got += static_cast<std::size_t>(n);
  }
  request.out.resize(got == 0 ? start : data + got);
  if (got == 0) return wanted == 0 ? request.finish(0) : request.finish(Status::Eof, "End of file");
  writer.patch(length_at, static_cast<std::uint32_t>(got));
  writer.end();
}

void Session::write(Request& request) {
  const int file = file_of(request.in.text());
  const auto at = request.in.large();
  const auto data = request.in.text();
  if (!request.sound()) return;
  if (file < 0) return request.finish(EBADF);
  if (at > static_cast<std::uint64_t>(INT64_MAX) - data.size()) return request.finish(EFBIG);
  for (std::size_t done = 0; done < data.size();) {
    // A file that was opened for appending takes it at its end, wherever it is said to go.
    const ssize_t n = pwrite(file, data.data() + done, data.size() - done, static_cast<off_t>(at + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return request.finish(errno);
    done += static_cast<std::size_t>(n);
  }
  request.finish(0);
}

void Session::look(Request& request) {
  const auto path = request.path();
  if (!request.sound()) return;
  struct stat info {};
  const int failed = files_.look(path, Files::Links::Follow, info);
  failed != 0 ? request.finish(failed) : request.attributes(info);
}

void Session::look_at_link(Request& request) {
  const auto path = request.path();
  if (!request.sound()) return;
  struct stat info {};
  const int failed = files_.look(path, Files::Links::Stay, info);
  failed != 0 ? request.finish(failed) : request.attributes(info);
}

void Session::look_at_handle(Request& request) {
  const auto* const handle = handle_of(request.in.text());
  if (handle == nullptr) return request.finish(EBADF);
  struct stat info {};
  if (fstat(handle->folder ? dirfd(handle->folder.get()) : handle->file.get(), &info) != 0) return request.finish(errno);
  request.attributes(info);
}

void Session::change(Request& request) {
  const auto path = request.path();
  const auto attributes = request.in.attributes();
  if (request.sound()) request.finish(files_.change(path, Files::Links::Follow, attributes));
}

void Session::change_handle(Request& request) {
  const int file = file_of(request.in.text());
  const auto attributes = request.in.attributes();
  if (request.sound()) request.finish(file < 0 ? EBADF : Files::change(file, attributes));
}

void Session::open_folder(Request& request) {
  const auto path = request.path();
  if (!request.sound()) return;
  Handle handle;
  UniqueFd folder;
  if (const int failed = files_.open_folder(path, folder); failed != 0) return request.finish(failed);
  handle.folder.reset(fdopendir(folder.get()));
  if (!handle.folder) return request.finish(errno);
  (void)folder.release();
  give_handle(request, std::move(handle));
}

void Session::read_folder(Request& request) {
  const auto* const handle = handle_of(request.in.text());
  if (handle == nullptr || !handle->folder) return request.finish(EBADF);
  const auto start = request.out.size();
  auto writer = request.begin(Type::Name);
  const auto count_at = writer.size();
  writer.number(0);
  std::uint32_t count = 0;
  errno = 0;
  while (count < kNamesAtOnce && writer.size() < kNamesSize) {
    const dirent* const entry = readdir(handle->folder.get());
    if (entry == nullptr) break;
    struct stat info {};
    if (fstatat(dirfd(handle->folder.get()), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) continue;  // gone since
    writer.text(entry->d_name).text(long_name(entry->d_name, info)).attributes(info);
    ++count;
    errno = 0;
  }
  if (count == 0) {
    const int failed = errno;
    request.out.resize(start);
    return failed != 0 && failed != ENOENT ? request.finish(failed) : request.finish(Status::Eof, "End of folder");
  }
  writer.patch(count_at, count);
  writer.end();
}

void Session::remove(Request& request) {
  const auto path = request.path();
  if (request.sound()) request.finish(files_.remove(path, false));
}

void Session::remove_folder(Request& request) {
  const auto path = request.path();
  if (request.sound()) request.finish(files_.remove(path, true));
}

void Session::make_folder(Request& request) {
  const auto path = request.path();
  const auto attributes = request.in.attributes();
  if (request.sound()) request.finish(files_.make_folder(path, attributes));
}

void Session::real_path(Request& request) {
  const auto path = request.path();
  if (request.sound()) request.name(clean_path(path));
}

void Session::rename(Request& request) {
  const auto from = request.path();
  const auto path = request.path();
  if (request.sound()) request.finish(files_.rename(from, path, false));
}

void Session::read_link(Request& request) {
  const auto path = request.path();
  if (!request.sound()) return;
  std::string target;
  const int failed = files_.read_link(path, target);
  failed != 0 ? request.finish(failed) : request.name(target);
}

/// The target first, as every client sends it, since OpenSSH's server wants it so; the draft has it the other way round.
void Session::make_link(Request& request) {
  const std::string target(request.in.text());
  const auto path = request.path();
  if (target.find('\0') != std::string::npos) request.bad_path = true;
  if (request.sound()) request.finish(files_.make_link(target, path));
}

void Session::extended(Request& request) {
  const auto name = request.in.text();
  if (name == "posix-rename@openssh.com" || name == "hardlink@openssh.com") {
    const auto from = request.path();
    const auto path = request.path();
    if (!request.sound()) return;
    return request.finish(name.front() == 'p' ? files_.rename(from, path, true) : files_.hard_link(from, path));
  }
  if (name == "fsync@openssh.com") {
    const int file = file_of(request.in.text());
    return request.finish(file < 0 ? EBADF : fsync(file) == 0 ? 0 : errno);
  }
  if (name == "lsetstat@openssh.com") {
    const auto path = request.path();
    const auto attributes = request.in.attributes();
    if (request.sound()) request.finish(files_.change(path, Files::Links::Stay, attributes));
    return;
  }
  if (name == "statvfs@openssh.com") {
    const auto path = request.path();
    if (!request.sound()) return;
    UniqueFd place;
    const int failed = files_.place(path, place);
    return failed != 0 ? request.finish(failed) : statistics(request, place.get());
  }
  if (name == "fstatvfs@openssh.com") {
    const int file = file_of(request.in.text());
    return file < 0 ? request.finish(EBADF) : statistics(request, file);
  }
  if (name == "limits@openssh.com") {
    auto writer = request.begin(Type::ExtendedReply);
    return writer.large(kMaxPacket).large(kMaxData).large(kMaxData).large(kMaxHandles).end();
  }
  request.finish(request.in.good() ? EOPNOTSUPP : EBADMSG);
}

void Session::statistics(Request& request, int file) {
  struct statfs info {};
  if (fstatfs(file, &info) != 0) return request.finish(errno);
  enum : std::uint64_t { kReadOnly = 1, kNoSetuid = 2 };
  const auto flags = static_cast<std::uint64_t>(info.f_flags);
  auto writer = request.begin(Type::ExtendedReply);
  const auto large = [&writer](auto value) { writer.large(static_cast<std::uint64_t>(value)); };
  large(info.f_bsize);
  large(info.f_frsize);
  large(info.f_blocks);
  large(info.f_bfree);
  large(info.f_bavail);
  large(info.f_files);
  large(info.f_ffree);
  large(info.f_ffree);
  large(0);  // what the host's file system is called is none of the client's business
  large(flags & (kReadOnly | kNoSetuid));  // ST_RDONLY and ST_NOSUID have the same values here and there
  large(info.f_namelen);
  writer.end();
}

}  // namespace berth::helpers::sftp
