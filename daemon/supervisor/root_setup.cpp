#include "daemon/supervisor/root_setup.hpp"

#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/cgroup.hpp"
#include "base/unique_fd.hpp"

namespace berth::supervisor {
namespace {

Result<void> make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) return system_error("cannot make " + path, errno);
  return {};
}

std::string map_text(const IdMap& map, bool uid) {
  std::string text;
  for (const auto& entry : map.entries)
    if (entry.uid == uid)
      text += std::to_string(entry.inside) + " " + std::to_string(entry.outside) + " " + std::to_string(entry.count) + "\n";
  return text;
}

/// Holds a namespace until it is killed, at the latest with its parent.
int wait_for_the_kill(void* parent) {
  (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() == *static_cast<const pid_t*>(parent))
    for (;;) (void)::pause();
  return 0;
}

/// A user namespace with the container's map, what mount_setattr(2) takes a map from. The child that holds it for the
/// moment of making it shares our memory: to copy that would take longer than all the rest.
Result<UniqueFd> user_namespace(const IdMap& map) {
  alignas(16) std::array<char, 16384> stack;
  pid_t parent = ::getpid();
  const pid_t child =
      ::clone(wait_for_the_kill, stack.data() + stack.size(), CLONE_NEWUSER | CLONE_VM | SIGCHLD, &parent);
  if (child < 0) return system_error("cannot make a user namespace", errno);
  const std::string proc = "/proc/" + std::to_string(child);
  auto written = write_text(proc + "/uid_map", map_text(map, true));
  if (written) written = write_text(proc + "/gid_map", map_text(map, false));
  UniqueFd space(::open((proc + "/ns/user").c_str(), O_RDONLY | O_CLOEXEC));
  const int saved = errno;
  (void)::kill(child, SIGKILL);
  (void)::waitpid(child, nullptr, 0);
  BERTH_CHECK(std::move(written));
  if (!space) return system_error("cannot open the container's user namespace", saved);
  return space;
}

/// Binds `source` on `target`; with a user namespace, idmapped by it.
Result<void> bind(const std::string& source, const std::string& target, std::uint64_t attributes, int user_namespace) {
  const UniqueFd tree(static_cast<int>(
      ::syscall(SYS_open_tree, AT_FDCWD, source.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)));
  if (!tree) return system_error("cannot open " + source, errno);
  mount_attr attr{};
  attr.attr_set = attributes;
  if (user_namespace >= 0) {
    attr.attr_set |= MOUNT_ATTR_IDMAP;
    attr.userns_fd = static_cast<std::uint64_t>(user_namespace);
  }
  if (attr.attr_set != 0 && ::syscall(SYS_mount_setattr, tree.get(), "", AT_EMPTY_PATH, &attr, sizeof attr) != 0)
    return system_error("cannot map the ids of " + source, errno);
  if (::syscall(SYS_move_mount, tree.get(), "", AT_FDCWD, target.c_str(), MOVE_MOUNT_F_EMPTY_PATH) != 0)
    return system_error("cannot mount " + source, errno);
  return {};
}

Result<void> set_up_layers(const StartPlan& plan, const std::string& stage) {
  for (const std::string& folder : {plan.root.layer + "/upper", plan.root.layer + "/work"}) {
    struct stat info {};
    if (::lstat(folder.c_str(), &info) != 0 || !S_ISDIR(info.st_mode))
      return Error{Code::FailedPrecondition, "the container's layer lacks " + folder};
  }
  // liblxc looks for the work folder beside the upper one, by a name of its own.
  if (::symlink("work", (plan.root.layer + "/olwork").c_str()) != 0 && errno != EEXIST)
    return system_error("cannot prepare " + plan.root.layer, errno);
  BERTH_CHECK(make_folder(stage + "/lower"));
  BERTH_CHECK(make_folder(stage + "/layer"));
  UniqueFd map;
  if (!plan.idmap.privileged()) {
    BERTH_TRY(map, user_namespace(plan.idmap));
  }
  BERTH_CHECK(bind(plan.root.lower, stage + "/lower", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV, map.get()));
  return bind(plan.root.layer, stage + "/layer", MOUNT_ATTR_NODEV, map.get());
}

}  // namespace

Result<void> set_up_root(const StartPlan& plan, const RuntimePaths& paths, const std::string& hook) {
  const std::string stage = paths.stage();
  if (::unshare(CLONE_NEWNS) != 0) return system_error("cannot make a mount namespace", errno);
  if (::mount(nullptr, "/", nullptr, MS_SLAVE | MS_REC, nullptr) != 0)
    return system_error("cannot part from the host's mounts", errno);
  if (::mount("berth", stage.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=64k") != 0)
    return system_error("cannot mount " + stage, errno);
  const UniqueFd place(::open((stage + "/berth-hook").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  if (!place) return system_error("cannot prepare " + stage, errno);
  BERTH_CHECK(bind(hook, stage + "/berth-hook", MOUNT_ATTR_RDONLY, -1));
  if (plan.root.kind == RootSpec::Kind::Overlay) return set_up_layers(plan, stage);
  BERTH_CHECK(make_folder(stage + "/root"));
  return bind(plan.root.plain, stage + "/root", 0, -1);
}

}  // namespace berth::supervisor
