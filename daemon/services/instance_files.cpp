#include "daemon/services/instance_files.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "daemon/services/instance_support.hpp"
#include "daemon/services/lifecycle_events.hpp"

namespace berth::services {
namespace {

constexpr std::size_t kMaxPath = 4095;
constexpr std::size_t kMaxNames = 16 << 20;  // bytes
// What the lock of a stopped instance is held for.
constexpr const char* kFileAccess = "file access";
constexpr const char* kSftp = "SFTP";

/// The path as an absolute one.
Result<std::string> guest_path(const std::string& path) {
  if (path.empty()) return Error{Code::InvalidArgument, "Missing path argument"};
  if (path.size() > kMaxPath) return Error{Code::InvalidArgument, "The path is too long"};
  if (path.find('\0') != std::string::npos) return Error{Code::InvalidArgument, "The path has a zero byte"};
  return path.front() == '/' ? path : "/" + path;
}

Result<void> check_write(const ports::GuestFileWrite& request) {
  if (request.type != "file" && request.type != "directory" && request.type != "symlink")
    return Error{Code::InvalidArgument, "Bad file type: " + request.type};
  if (request.uid > UINT32_MAX - 1 || request.gid > UINT32_MAX - 1)
    return Error{Code::InvalidArgument, "The owner of a file is out of range"};
  if (request.mode > 07777) return Error{Code::InvalidArgument, "The mode of a file is out of range"};
  return {};
}

/// A folder's names, whole before anybody hears of them: so nobody reads half of them.
Result<UniqueFd> whole_copy(int from) {
  UniqueFd copy(memfd_create("berth-folder", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!copy) return system_error("cannot make a file in memory", errno);
  std::array<char, 65536> chunk{};
  std::size_t size = 0;
  for (;;) {
    const ssize_t n = read(from, chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("cannot read the names of a folder", errno);
    if (n == 0) break;
    size += static_cast<std::size_t>(n);
    if (size > kMaxNames) return Error{Code::LimitsExceeded, "The folder has too many files to list"};
    if (write(copy.get(), chunk.data(), static_cast<std::size_t>(n)) != n)
      return system_error("cannot write a file in memory", errno);
  }
  if (lseek(copy.get(), 0, SEEK_SET) != 0 ||
      fcntl(copy.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0)
    return system_error("cannot seal a file in memory", errno);
  return copy;
}

}  // namespace

/// A place with what keeps it as it is: a stopped instance's lock.
struct InstanceFiles::Place {
  ports::GuestPlace guest;
  std::optional<EntityLocks::Guard> lock;
};

Result<InstanceFiles::Place> InstanceFiles::place_of(const Instance& instance, const std::string& verb) {
  const auto& uuid = instance.uuid;
  const auto running = [&]() -> std::optional<Place> {
    const auto pid = context_.runtime.init_pid(uuid);
    if (pid == 0) return std::nullopt;
    auto is_its_init = [&runtime = context_.runtime, uuid](std::int32_t seen) {
      const auto owner = runtime.instance_of(seen);
      return runtime.init_pid(uuid) == seen && owner && *owner == uuid;
    };
    return Place{.guest = {.init_pid = pid, .is_its_init = std::move(is_its_init), .root = {}}, .lock = std::nullopt};
  };
  if (auto place = running()) return *std::move(place);
  // As Berth's own work it waits for a verb under way (a start, mostly), and for other files of the same instance.
  // A session may last for days: nobody waits for its end.
  if (const auto holder = context_.locks.holder(instance_entity(uuid)); holder && holder->verb == kSftp)
    return Error{Code::Busy, shown(instance.name) + " is stopped and has its files open in an SFTP session"};
  BERTH_TRY(auto lock, context_.locks.lock(instance_entity(uuid), shown(instance.name), verb, EntityLocks::Purpose::Cleanup));
  if (auto place = running()) return *std::move(place);
  if (context_.runtime.status(uuid) != InstanceStatus::Stopped)
    return Error{Code::Busy, shown(instance.name) + " is just starting or stopping: try again"};
  BERTH_CHECK(context_.store.instance_by_uuid(uuid));  // it may have been deleted while this waited
  BERTH_TRY(auto* const driver, driver_of(context_, instance.pool));
  BERTH_TRY(auto root, driver->root(uuid));
  return Place{.guest = {.init_pid = 0, .is_its_init = {}, .root = std::move(root)}, .lock = std::move(lock)};
}

Result<ports::OpenGuestFile> InstanceFiles::open(const Principal& who, const ProjectName& project,
                                                 const InstanceName& name, const std::string& path, bool content) {
  BERTH_TRY(const auto whole, guest_path(path));
  BERTH_TRY(const auto instance, context_.store.instance(who, project, name));
  BERTH_TRY(auto place, place_of(instance, kFileAccess));
  BERTH_TRY(auto opened, context_.files.read(place.guest, whole, content));
  if (opened.info.type == "directory") {
    BERTH_TRY(opened.content, whole_copy(opened.content.get()));
  }
  if (content && opened.info.type != "directory")
    publish_lifecycle(context_, who, instance, "instance-file-retrieved", Document{{"path", whole}});
  // The lock, if there is one, is held until nobody reads any more.
  context_.workers.submit_long([wait = opened.wait, kept = std::make_shared<Place>(std::move(place)),
                                &operations = context_.operations] {
    (void)wait([&operations] { return operations.closing(); }).has_value();
  });
  return opened;
}

Result<OperationId> InstanceFiles::write(const Principal& who, const ProjectName& project, const InstanceName& name,
                                         ports::GuestFileWrite request, UniqueFd content) {
  BERTH_TRY(request.path, guest_path(request.path));
  BERTH_CHECK(check_write(request));
  BERTH_TRY(const auto instance, context_.store.instance(who, project, name));
  auto spec = instance_operation(who, instance, "Writing a file");
  spec.cancellable = true;
  return context_.operations.start(
      std::move(spec),
      [&context = context_, who, instance, request = std::move(request),
       content = std::make_shared<UniqueFd>(std::move(content))](OperationContext& operation) -> Result<Document> {
        BERTH_TRY(const auto place, InstanceFiles(context).place_of(instance, kFileAccess));
        const auto written =
            context.files.write(place.guest, request, content->get(), [&operation] { return operation.cancelled(); });
        content->reset();  // whoever still sends learns at once that nobody reads
        BERTH_CHECK(written);
        publish_lifecycle(context, who, instance, "instance-file-pushed", Document{{"path", request.path}});
        return Document{};
      });
}

Result<void> InstanceFiles::remove(const Principal& who, const ProjectName& project, const InstanceName& name,
                                   const std::string& path) {
  BERTH_TRY(const auto whole, guest_path(path));
  BERTH_TRY(const auto instance, context_.store.instance(who, project, name));
  BERTH_TRY(const auto place, place_of(instance, kFileAccess));
  BERTH_CHECK(context_.files.remove(place.guest, whole));
  publish_lifecycle(context_, who, instance, "instance-file-deleted", Document{{"path", whole}});
  return {};
}

Result<UniqueFd> InstanceFiles::sftp(const Principal& who, const ProjectName& project, const InstanceName& name) {
  BERTH_TRY(const auto instance, context_.store.instance(who, project, name));
  BERTH_TRY(auto place, place_of(instance, kSftp));
  struct Kept {
    std::mutex mutex;  // the session may be over before this is
    std::optional<Place> place;
  };
  const auto kept = std::make_shared<Kept>();
  kept->place.emplace(std::move(place));
  BERTH_TRY(auto server, context_.files.serve_sftp(kept->place->guest, [kept] {
    const std::lock_guard lock(kept->mutex);
    kept->place.reset();
  }));
  const std::lock_guard lock(kept->mutex);
  if (kept->place && kept->place->lock)
    kept->place->lock->on_wanted([stop = std::move(server.stop)](const std::string& verb) {
      if (verb != kSftp && verb != kFileAccess) stop();
    });
  return std::move(server.socket);
}

}  // namespace berth::services
