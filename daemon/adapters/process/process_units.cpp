#include "daemon/adapters/process/process_units.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

#include "base/cgroup.hpp"
#include "base/packet.hpp"
#include "daemon/domain/unit_name.hpp"

namespace berth::process {
namespace {

/// The file actions and attributes of a spawn.
class SpawnSetup {
 public:
  SpawnSetup() {
    (void)::posix_spawn_file_actions_init(&actions_);
    (void)::posix_spawnattr_init(&attributes_);
  }
  ~SpawnSetup() {
    (void)::posix_spawn_file_actions_destroy(&actions_);
    (void)::posix_spawnattr_destroy(&attributes_);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;

  /// No stream of the daemon's is held open by a process that outlives it; no signal state is inherited.
  Result<void> detach_streams_and_signals() {
    sigset_t none;
    sigset_t all;
    (void)::sigemptyset(&none);
    (void)::sigfillset(&all);
    const short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID;
    const bool ready = ::posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0) == 0 &&
                       ::posix_spawn_file_actions_addopen(&actions_, 1, "/dev/null", O_WRONLY, 0) == 0 &&
                       ::posix_spawn_file_actions_addopen(&actions_, 2, "/dev/null", O_WRONLY, 0) == 0 &&
                       ::posix_spawnattr_setsigmask(&attributes_, &none) == 0 &&
                       ::posix_spawnattr_setsigdefault(&attributes_, &all) == 0 &&
                       ::posix_spawnattr_setflags(&attributes_, flags) == 0;
    if (!ready) return Error{Code::Internal, "cannot prepare to start a supervisor"};
    return {};
  }
  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

}  // namespace

ProcessUnits::ProcessUnits(supervisor::RuntimePaths paths, std::string program)
    : paths_(std::move(paths)), program_(std::move(program)) {}

std::string ProcessUnits::unit_name(const ProjectName& project, const InstanceName& name) const {
  return container_unit_name(project, name);
}

Result<void> ProcessUnits::start(const std::string& unit, const Uuid&) {
  SpawnSetup setup;
  BERTH_CHECK(setup.detach_streams_and_signals());
  std::array<std::string, 6> words{program_, "--unit", unit, "--runtime", paths_.root, "--detach"};
  std::array<char*, 7> argv{};
  for (std::size_t i = 0; i < words.size(); ++i) argv.at(i) = words.at(i).data();
  pid_t child = 0;
  const int failed =
      ::posix_spawn(&child, program_.c_str(), setup.actions(), setup.attributes(), argv.data(), environ);
  if (failed != 0) return system_error("cannot start " + program_, failed);
  // The supervisor forks once and leaves this child behind, which ends at once.
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return system_error("cannot wait for " + program_, errno);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return Error{Code::Internal, program_ + " could not start " + unit};
  return {};
}

Result<void> ProcessUnits::kill(const std::string& unit, const Uuid& uuid) {
  const auto control = connect_packets(paths_.control(uuid));
  if (control) {
    ucred who{};
    socklen_t size = sizeof who;
    if (::getsockopt(control->get(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0)
      return system_error("cannot find the supervisor of " + unit, errno);
    // The pidfd is taken while the connection proves that the process lives.
    const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, who.pid, 0)));
    if (process) (void)::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
  }
  (void)remove_container_cgroups(std::string(supervisor::kCgroupParent), uuid.str(), true);
  return {};
}

Result<std::vector<std::string>> ProcessUnits::running() {
  std::vector<std::string> units;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(paths_.units(), failed)) {
    const std::string unit = entry.path().filename();
    if (connect_packets(paths_.unit(unit) + "/control")) units.push_back(unit);
  }
  return units;
}

}  // namespace berth::process
