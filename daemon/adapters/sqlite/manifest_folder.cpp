#include "daemon/adapters/sqlite/manifest_folder.hpp"

#include "daemon/domain/instance_manifest.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

namespace berth::sqlite {
namespace {

constexpr const char* kFile = "manifest.json";
constexpr const char* kUnfinished = "manifest.json.unfinished";
/// manifest_from_json() refuses longer ones; reading stops there too.
constexpr std::size_t kLargest = 8U * 1024 * 1024;

Error manifest_error(std::string_view what, const Uuid& uuid, int saved_errno) {
  return system_error("cannot " + std::string(what) + " the manifest of instance " + uuid.str(), saved_errno);
}

Result<void> write_all(int fd, std::string_view text, const Uuid& uuid) {
  while (!text.empty()) {
    const auto written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return manifest_error("write", uuid, errno);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<std::string> read_all(int fd, const Uuid& uuid) {
  std::string text;
  std::array<char, 65536> chunk;
  while (text.size() <= kLargest) {
    const auto count = ::read(fd, chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return manifest_error("read", uuid, errno);
    if (count == 0) break;
    text.append(chunk.data(), static_cast<std::size_t>(count));
  }
  return text;
}

Error absent(const Uuid& uuid) { return Error{Code::NotFound, "Instance " + uuid.str() + " has no manifest"}; }

}  // namespace

Result<ManifestFolder> ManifestFolder::open(const std::string& folder) {
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return system_error("cannot make the folder " + folder, errno);
  UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd) return system_error("cannot open the folder " + folder, errno);
  if (fchmod(fd.get(), 0700) != 0) return system_error("cannot protect the folder " + folder, errno);
  return ManifestFolder(std::move(fd));
}

Result<UniqueFd> ManifestFolder::instance_folder(const Uuid& uuid) const {
  UniqueFd fd(openat(folder_.get(), uuid.str().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd && errno == ENOENT) return absent(uuid);
  if (!fd) return manifest_error("open", uuid, errno);
  return fd;
}

Result<void> ManifestFolder::write(const Instance& instance) {
  const auto& uuid = instance.uuid;
  if (mkdirat(folder_.get(), uuid.str().c_str(), 0700) != 0 && errno != EEXIST)
    return manifest_error("write", uuid, errno);
  BERTH_TRY(const auto folder, instance_folder(uuid));
  const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW;
  {
    const UniqueFd file(openat(folder.get(), kUnfinished, flags, 0600));
    if (!file) return manifest_error("write", uuid, errno);
    BERTH_CHECK(write_all(file.get(), manifest_to_json(instance), uuid));
  }
  // No fsync: the database is durable, and a manifest that a power cut spoils is refused by its reader.
  if (renameat(folder.get(), kUnfinished, folder.get(), kFile) != 0) return manifest_error("write", uuid, errno);
  return {};
}

Result<Instance> ManifestFolder::read(const Uuid& uuid) {
  BERTH_TRY(const auto folder, instance_folder(uuid));
  const UniqueFd file(openat(folder.get(), kFile, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file && errno == ENOENT) return absent(uuid);
  if (!file) return manifest_error("read", uuid, errno);
  struct stat about {};
  if (fstat(file.get(), &about) != 0) return manifest_error("read", uuid, errno);
  if (!S_ISREG(about.st_mode))
    return Error{Code::InvalidArgument, "The manifest of instance " + uuid.str() + " is not a file"};
  BERTH_TRY(const auto text, read_all(file.get(), uuid));
  BERTH_TRY(auto instance, manifest_from_json(text));
  if (instance.uuid != uuid)
    return Error{Code::InvalidArgument,
                 "The manifest of instance " + uuid.str() + " names another one, " + instance.uuid.str()};
  return instance;
}

Result<void> ManifestFolder::remove(const Uuid& uuid) {
  const auto folder = instance_folder(uuid);
  if (!folder) return folder.error().code == Code::NotFound ? Result<void>{} : Result<void>{folder.error()};
  for (const auto* name : {kFile, kUnfinished})
    if (unlinkat(folder->get(), name, 0) != 0 && errno != ENOENT) return manifest_error("remove", uuid, errno);
  // The folder may hold more than the manifest (logs); then whoever made that removes it.
  if (unlinkat(folder_.get(), uuid.str().c_str(), AT_REMOVEDIR) != 0 && errno != ENOTEMPTY && errno != ENOENT)
    return manifest_error("remove", uuid, errno);
  return {};
}

Result<std::vector<Uuid>> ManifestFolder::list() {
  struct Close {
    void operator()(DIR* stream) const noexcept { closedir(stream); }
  };
  UniqueFd copy(openat(folder_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!copy) return system_error("cannot list the manifests", errno);
  const std::unique_ptr<DIR, Close> stream(fdopendir(copy.get()));
  if (!stream) return system_error("cannot list the manifests", errno);
  (void)copy.release();
  std::vector<Uuid> out;
  while (const auto* entry = readdir(stream.get())) {
    auto uuid = Uuid::parse(entry->d_name);
    if (!uuid) continue;
    const std::string file = uuid->str() + "/" + kFile;
    if (faccessat(folder_.get(), file.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0) out.push_back(*std::move(uuid));
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace berth::sqlite
