#include <seccomp.h>

#include <sched.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <memory>

#include "daemon/helpers/confine.hpp"

namespace berth::helpers {
namespace {

// What reading an archive and writing files by descriptor needs. Names that a kernel or libseccomp does not know on
// this architecture are passed over: what is not allowed is refused.
constexpr std::array kFileWork{
    "read",
    "readv",
    "pread64",
    "write",
    "writev",
    "pwrite64",
    "lseek",
    "close",
    "close_range",
    "dup",
    "fcntl",
    "ioctl",
    "open",
    "openat",
    "openat2",
    "creat",
    "access",
    "faccessat",
    "faccessat2",
    "stat",
    "fstat",
    "lstat",
    "newfstatat",
    "fstatat64",
    "statx",
    "fstatfs",
    "statfs",
    "getdents64",
    "mkdir",
    "mkdirat",
    "mknod",
    "mknodat",
    "unlink",
    "unlinkat",
    "rmdir",
    "rename",
    "renameat",
    "renameat2",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
    "readlink",
    "readlinkat",
    "chmod",
    "fchmod",
    "fchmodat",
    "fchmodat2",
    "chown",
    "fchown",
    "lchown",
    "fchownat",
    "utime",
    "utimes",
    "utimensat",
    "futimesat",
    "ftruncate",
    "truncate",
    "fallocate",
    "copy_file_range",
    "sendfile",
    "splice",
    "fadvise64",
    "sync_file_range",
    "fsync",
    "fdatasync",
    "setxattr",
    "lsetxattr",
    "fsetxattr",
    "getxattr",
    "lgetxattr",
    "fgetxattr",
    "listxattr",
    "llistxattr",
    "flistxattr",
    "removexattr",
    "lremovexattr",
    "fremovexattr",
    "chdir",
    "fchdir",
    "getcwd",
    "umask",
    "mmap",
    "munmap",
    "mremap",
    "mprotect",
    "madvise",
    "brk",
    "futex",
    "clock_gettime",
    "clock_nanosleep",
    "nanosleep",
    "gettimeofday",
    "time",
    "poll",
    "ppoll",
    "select",
    "pselect6",
    "getpid",
    "gettid",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "getrandom",
    "sysinfo",
    "getrlimit",
    "prlimit64",
    "getrusage",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "rt_sigtimedwait",
    "sigaltstack",
    "restart_syscall",
    "sched_yield",
    "sched_getaffinity",
    "uname",
    "tgkill",
    "exit",
    "exit_group",
};

// What starting unsquashfs and its threads adds.
constexpr std::array kPrograms{
    "execve", "execveat",   "wait4",           "waitid",          "pipe", "pipe2",         "dup2",          "dup3",
    "vfork",  "arch_prctl", "set_tid_address", "set_robust_list", "rseq", "rt_sigsuspend", "rt_sigpending", "setitimer",
    "kill",   "getppid",    "prctl",
};

// What asking servers adds; sockets are allowed by their families, below.
constexpr std::array kNetwork{
    "connect",     "bind",        "getsockopt", "setsockopt", "getsockname",     "getpeername",     "sendto", "recvfrom",
    "sendmsg",     "sendmmsg",    "recvmsg",    "shutdown",   "set_robust_list", "set_tid_address", "rseq",   "pipe2",
    "eventfd2",    "pwritev",     "preadv",
};

/// Threads and processes, but no namespaces. clone3 hides its flags from the filter, so that libc must use clone.
bool allow_threads(void* filter) {
  constexpr scmp_datum_t kNamespaces =
      CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
  return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, kNamespaces, 0)) == 0 &&
         seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0;
}

/// No sockets of this machine: those of services are not this process's to knock at.
bool allow_sockets(void* filter) {
  for (const auto family : {AF_INET, AF_INET6, AF_NETLINK})
    if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
                         SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(family))) != 0)
      return false;
  // A pair of a process's own, by which threads wake each other.
  return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), 0) == 0;
}

struct ReleaseFilter {
  void operator()(void* filter) const noexcept { seccomp_release(filter); }
};

}  // namespace

Result<void> install_seccomp_filter(ConfinedWork work) {
  const std::unique_ptr<void, ReleaseFilter> filter(seccomp_init(SCMP_ACT_ERRNO(EPERM)));
  if (!filter) return Error{Code::Internal, "cannot make a seccomp filter"};
  const auto allow = [&](const char* name) {
    const int number = seccomp_syscall_resolve_name(name);
    return number < 0 || seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, number, 0) == 0;
  };
  bool built = true;
  for (const char* const name : kFileWork) built = built && allow(name);
  if (work == ConfinedWork::Programs)
    for (const char* const name : kPrograms) built = built && allow(name);
  if (work == ConfinedWork::Network) {
    for (const char* const name : kNetwork) built = built && allow(name);
    built = built && allow_sockets(filter.get());
  }
  if (work != ConfinedWork::Files) built = built && allow_threads(filter.get());
  if (!built) return Error{Code::Internal, "cannot fill the seccomp filter"};
  if (const int failed = seccomp_load(filter.get()); failed != 0)
    return system_error("cannot load the seccomp filter", -failed);
  return {};
}

}  // namespace berth::helpers
