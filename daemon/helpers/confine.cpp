#include "daemon/helpers/confine.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <climits>
#include <initializer_list>

#include "base/helper_process.hpp"
#include "base/sanitized.hpp"
#include "daemon/helpers/report.hpp"

namespace berth::helpers {
namespace {

int pidfd_open_of(pid_t pid) { return static_cast<int>(syscall(SYS_pidfd_open, pid, 0)); }

Result<void> write_file(const std::string& path, const std::string& text) {
  const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd || write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return system_error("cannot write " + path, errno);
  return {};
}

/// A user namespace whose ids 0 and up are kIdBase and up on the host, owned by the host's root. It lives by its
/// descriptor.
Result<UniqueFd> make_user_namespace() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return system_error("cannot make a pipe", errno);
  UniqueFd ready(ends[0]), child_end(ends[1]);
  const pid_t child = fork();
  if (child < 0) return system_error("cannot fork", errno);
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const char failed = unshare(CLONE_NEWUSER) == 0 ? 0 : static_cast<char>(errno);
    if (write(child_end.get(), &failed, 1) == 1)
      for (;;) pause();
    _exit(1);
  }
  child_end.reset();
  const auto end_child = [child] {
    kill(child, SIGKILL);
    while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
  };
  char failed = EIO;
  if (read(ready.get(), &failed, 1) != 1 || failed != 0) {
    end_child();
    return system_error("cannot make a user namespace", failed);
  }
  const std::string proc = "/proc/" + std::to_string(child);
  const std::string map = "0 " + std::to_string(kIdBase) + " " + std::to_string(kIdCount) + "\n";
  Result<void> mapped = write_file(proc + "/uid_map", map);
  if (mapped) mapped = write_file(proc + "/gid_map", map);
  UniqueFd ns(open((proc + "/ns/user").c_str(), O_RDONLY | O_CLOEXEC));
  const int ns_errno = errno;
  end_child();
  if (!mapped) return std::move(mapped).error();
  if (!ns) return system_error("cannot open the user namespace", ns_errno);
  return ns;
}

/// A detached mount of what `fd` is, with ids shifted into `userns`.
Result<UniqueFd> idmapped_clone(const Share& share, int userns) {
  UniqueFd tree(static_cast<int>(
      syscall(SYS_open_tree, share.fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | static_cast<unsigned>(O_CLOEXEC))));
  if (!tree) return system_error("cannot clone the mount of " + share.at, errno);
  mount_attr attributes{};
  attributes.attr_set =
      MOUNT_ATTR_IDMAP | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOATIME;
  attributes.attr_clr = MOUNT_ATTR__ATIME;
  if (share.read_only) attributes.attr_set |= MOUNT_ATTR_RDONLY;
  attributes.userns_fd = static_cast<std::uint64_t>(userns);
  if (syscall(SYS_mount_setattr, tree.get(), "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0) {
    if (errno == EINVAL)
      return Error{
          Code::FailedPrecondition,
          "the file system does not support idmapped mounts; keep Berth's state and pools on ext4, xfs or btrfs"};
    return system_error("cannot map the ids of " + share.at, errno);
  }
  return tree;
}

Result<void> attach(int tree, const std::string& path) {
  if (syscall(SYS_move_mount, tree, "", AT_FDCWD, path.c_str(), MOVE_MOUNT_F_EMPTY_PATH) != 0)
    return system_error("cannot attach " + path, errno);
  return {};
}

/// Makes `at` below `root` as a place to mount on, a folder or a file as the thing itself is.
Result<void> make_mount_point(const std::string& path, int like) {
  struct stat info {};
  if (fstat(like, &info) != 0) return system_error("cannot look at what is shared as " + path, errno);
  if (S_ISDIR(info.st_mode)) {
    if (mkdir(path.c_str(), 0755) != 0) return system_error("cannot make " + path, errno);
    return {};
  }
  const UniqueFd file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) return system_error("cannot make " + path, errno);
  return {};
}

/// The host's programs and libraries, read-only, as far as a dynamically linked program needs them.
Result<void> share_programs(const std::string& root) {
  for (const char* const name : {"/usr", "/lib", "/lib64", "/lib32", "/bin"}) {
    struct stat info {};
    if (lstat(name, &info) != 0) continue;
    const std::string place = root + name;
    if (S_ISLNK(info.st_mode)) {
      std::array<char, PATH_MAX> target{};
      const ssize_t length = readlink(name, target.data(), target.size() - 1);
      if (length < 0 || symlink(target.data(), place.c_str()) != 0) return system_error("cannot link " + place, errno);
      continue;
    }
    UniqueFd tree(
        static_cast<int>(syscall(SYS_open_tree, AT_FDCWD, name, OPEN_TREE_CLONE | static_cast<unsigned>(O_CLOEXEC))));
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
    if (!tree || syscall(SYS_mount_setattr, tree.get(), "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0)
      return system_error(std::string("cannot share ") + name, errno);
    if (mkdir(place.c_str(), 0755) != 0) return system_error("cannot make " + place, errno);
    BERTH_CHECK(attach(tree.get(), place));
  }
  return {};
}

/// What names of servers are looked up in, and the authorities that vouch for them: read-only, as far as it is there.
Result<void> share_network_files(const std::string& root) {
  if (mkdir((root + "/etc").c_str(), 0755) != 0) return system_error("cannot make a folder", errno);
  for (const char* const name : {"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/ssl"}) {
    const UniqueFd tree(
        static_cast<int>(syscall(SYS_open_tree, AT_FDCWD, name, OPEN_TREE_CLONE | static_cast<unsigned>(O_CLOEXEC))));
    if (!tree) continue;
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    if (syscall(SYS_mount_setattr, tree.get(), "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0)
      return system_error(std::string("cannot share ") + name, errno);
    BERTH_CHECK(make_mount_point(root + name, tree.get()));
    BERTH_CHECK(attach(tree.get(), root + name));
  }
  return {};
}

/// A root folder that holds the shares and nothing else of the host.
Result<void> enter_root(const Confinement& confinement, const std::vector<UniqueFd>& trees) {
  const int network = confinement.network ? 0 : CLONE_NEWNET;
  if (unshare(CLONE_NEWNS | network | CLONE_NEWIPC | CLONE_NEWUTS) != 0)
    return system_error("cannot make private namespaces", errno);
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return system_error("cannot make the mounts private", errno);
  // Any folder that is always there will do: the mount covers it in this namespace only.
  const std::string root = "/tmp";
  if (mount("tmpfs", root.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=1m") != 0)
    return system_error("cannot mount a root folder", errno);
  for (std::size_t i = 0; i < trees.size(); ++i) {
    const std::string place = root + "/" + confinement.shares[i].at;
    BERTH_CHECK(make_mount_point(place, trees[i].get()));
    BERTH_CHECK(attach(trees[i].get(), place));
  }
  for (const OverlayShare& overlay : confinement.overlays)
    if (mkdir((root + "/" + overlay.at).c_str(), 0755) != 0) return system_error("cannot make a mount point", errno);
  if (confinement.programs) BERTH_CHECK(share_programs(root));
  if (confinement.network) BERTH_CHECK(share_network_files(root));
  if (chdir(root.c_str()) != 0 || syscall(SYS_pivot_root, ".", ".") != 0 || umount2(".", MNT_DETACH) != 0 ||
      chdir("/") != 0)
    return system_error("cannot enter the root folder", errno);
  return {};
}

Result<void> enter_user_namespace(int userns) {
  if (setns(userns, CLONE_NEWUSER) != 0) return system_error("cannot enter the user namespace", errno);
  if (setgroups(0, nullptr) != 0 || setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0)
    return system_error("cannot become the user namespace's root", errno);
  return {};
}

/// As the container does it: by the user namespace's own root, so that no right of the host's root is behind it.
Result<void> mount_overlay(const OverlayShare& overlay) {
  std::string options = "lowerdir=" + overlay.lower;
  if (!overlay.upper.empty()) options += ",upperdir=" + overlay.upper + ",workdir=" + overlay.work;
  options += ",userxattr,index=off,xino=auto";
  const std::string place = "/" + overlay.at;
  if (mount("overlay", place.c_str(), "overlay", MS_NOSUID | MS_NODEV | MS_NOEXEC, options.c_str()) != 0)
    return system_error("cannot mount the overlay", errno);
  return {};
}

Result<void> set_limits(const Confinement& confinement) {
  const auto limit = [](auto resource, rlim_t value) -> Result<void> {
    const rlimit both{value, value};
    if (setrlimit(resource, &both) != 0) return system_error("cannot set a limit", errno);
    return {};
  };
#ifndef BERTH_ADDRESS_SANITIZED  // whose shadow would not fit
  BERTH_CHECK(limit(RLIMIT_AS, confinement.memory));
#endif
  BERTH_CHECK(limit(RLIMIT_CPU, confinement.cpu_seconds));
  BERTH_CHECK(limit(RLIMIT_FSIZE, confinement.file_size));
  BERTH_CHECK(limit(RLIMIT_NOFILE, 2048));
  BERTH_CHECK(limit(RLIMIT_NPROC, 64));
  BERTH_CHECK(limit(RLIMIT_CORE, 0));
  signal(SIGXFSZ, SIG_IGN);  // a file that is too large is an error with a name, not a death
  signal(SIGPIPE, SIG_IGN);
  return {};
}

Result<void> keep_capabilities(std::initializer_list<int> kept, bool for_programs) {
  std::uint64_t mask = 0;
  for (const int capability : kept) mask |= 1ULL << capability;
  for (int capability = 0; for_programs && prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
    if ((mask >> capability & 1) == 0 && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0)
      return system_error("cannot drop a capability", errno);
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> data{};
  for (std::size_t i = 0; i < data.size(); ++i) {
    data[i].effective = data[i].permitted = static_cast<std::uint32_t>(mask >> (32 * i));
    data[i].inheritable = 0;
  }
  if (syscall(SYS_capset, &header, data.data()) != 0) return system_error("cannot set capabilities", errno);
  return {};
}

Result<void> confine(const Confinement& confinement, const std::vector<UniqueFd>& trees, int userns, pid_t parent) {
  BERTH_CHECK(enter_root(confinement, trees));
  BERTH_CHECK(enter_user_namespace(userns));
  if (!confinement.overlays.empty() && unshare(CLONE_NEWNS) != 0)
    return system_error("cannot make a mount namespace", errno);
  for (const OverlayShare& overlay : confinement.overlays) BERTH_CHECK(mount_overlay(overlay));
  // Nothing of the host stays open: what the work may reach, it opens below its root.
  if (close_range(kHelperReport + 1 + confinement.descriptors, UINT_MAX, 0) != 0) return system_error("cannot close descriptors", errno);
  BERTH_CHECK(confinement.network ? keep_capabilities({}, true) : keep_file_capabilities(true));
  BERTH_CHECK(set_limits(confinement));
  umask(0);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
    return system_error("cannot give up privileges", errno);
  // Only now: a change of credentials clears it. The check after it closes the gap before it.
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() != parent)
    return Error{Code::Cancelled, "the helper was ended"};
  return install_seccomp_filter(confinement.programs  ? ConfinedWork::Programs
                                : confinement.network ? ConfinedWork::Network
                                                      : ConfinedWork::Files);
}

}  // namespace

Result<void> keep_file_capabilities(bool for_programs) {
  return keep_capabilities({CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID, CAP_SETFCAP}, for_programs);
}

Result<int> run_confined(const Confinement& confinement, const std::function<int()>& work,
                         const std::function<bool(int)>& watch) {
  BERTH_TRY(const UniqueFd userns, make_user_namespace());
  std::vector<UniqueFd> trees;
  for (const Share& share : confinement.shares) {
    BERTH_TRY(UniqueFd tree, idmapped_clone(share, userns.get()));
    trees.push_back(std::move(tree));
  }
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) return system_error("cannot fork", errno);
  if (child == 0) {
    const Result<void> confined = confine(confinement, trees, userns.get(), parent);
    if (!confined) {
      report_error(confined.error());
      _exit(1);
    }
    _exit(work());
  }
  const UniqueFd pidfd(pidfd_open_of(child));
  // The child alone reads the input and writes what it was given: who is at the other end must see when it is done.
  close(kHelperInput);
  for (unsigned i = 0; i < confinement.descriptors; ++i) close(kHelperFirst + static_cast<int>(i));
  for (;;) {
    pollfd waiting{pidfd.get(), POLLIN, 0};
    if (poll(&waiting, 1, watch ? 100 : -1) > 0) break;
    if (watch && watch(child)) kill(child, SIGKILL);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace berth::helpers
