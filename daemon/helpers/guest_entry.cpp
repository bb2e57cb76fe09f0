#include "daemon/helpers/guest_entry.hpp"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <fstream>
#include <string>

#include "base/helper_process.hpp"
#include "daemon/helpers/confine.hpp"

namespace berth::helpers {
namespace {

constexpr rlim_t kMemory = 512UL << 20;

/// The pid that a pidfd stands for; -1 when its process is gone.
Result<int> pid_of(int pidfd) {
  std::ifstream info("/proc/self/fdinfo/" + std::to_string(pidfd));
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("Pid:")) return std::atoi(line.c_str() + 4);
  return Error{Code::Internal, "the descriptor of the container's init is not one"};
}

/// True when both processes are in the same namespace of that kind.
Result<bool> shares(int pid, const std::string& kind) {
  struct stat ours {}, theirs {};
  if (stat(("/proc/self/ns/" + kind).c_str(), &ours) != 0 ||
      stat(("/proc/" + std::to_string(pid) + "/ns/" + kind).c_str(), &theirs) != 0)
    return Error{Code::FailedPrecondition, "The container isn't running"};
  return ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

}  // namespace

Result<void> enter_guest(int pidfd) {
  BERTH_TRY(const int pid, pid_of(pidfd));
  if (pid <= 0) return Error{Code::FailedPrecondition, "The container isn't running"};
  BERTH_TRY(const bool host_mounts, shares(pid, "mnt"));
  if (host_mounts) return Error{Code::Internal, "the container's init has the host's mounts"};
  BERTH_TRY(const bool host_users, shares(pid, "user"));
  const pid_t parent = getppid();
  if (setns(pidfd, host_users ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) != 0) {
    if (errno == ESRCH) return Error{Code::FailedPrecondition, "The container isn't running"};
    return system_error("cannot enter the container", errno);
  }
  if (setgroups(0, nullptr) != 0 || setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0)
    return system_error("cannot become the container's root", errno);
  if (close_range(kHelperReport + 1, UINT_MAX, 0) != 0) return system_error("cannot close descriptors", errno);
  // In the host's user namespace, as for a privileged container, berthd itself lacks CAP_SETPCAP; and the filter below
  // lets nothing be started.
  BERTH_CHECK(keep_file_capabilities(!host_users));
  const rlimit memory{kMemory, kMemory};
  if (setrlimit(RLIMIT_AS, &memory) != 0) return system_error("cannot set a limit", errno);
  umask(0);
  // Not dumpable: nobody in the guest may look into a process that came from the host.
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
    return system_error("cannot give up privileges", errno);
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() != parent)
    return Error{Code::Cancelled, "the helper was ended"};
  return install_seccomp_filter(ConfinedWork::Files);
}

}  // namespace berth::helpers
