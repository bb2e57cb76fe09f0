// berth-hook: what liblxc runs for Berth while a container starts and ends. A program of its own, without a C++ runtime,
// since it stands in the way of each start: `berth-hook overlay STAGE ...` and `berth-hook stopped ...`; liblxc appends
// the container's name and the hook's.

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/mount.h>

namespace {

/// Runs in the container's own user and mount namespaces: only there may both layers be idmapped mounts.
int mount_overlay(const char* stage) {
  char root[256];
  char options[1024];
  const int root_length = std::snprintf(root, sizeof root, "%s/root", stage);
  const int length = std::snprintf(options, sizeof options,
                                   "userxattr,index=off,xino=auto,lowerdir=%s/lower,upperdir=%s/layer/upper,workdir=%s/layer/work",
                                   stage, stage, stage);
  if (root_length < 0 || length < 0 || static_cast<std::size_t>(root_length) >= sizeof root ||
      static_cast<std::size_t>(length) >= sizeof options)
    return 1;
  if (::mount("overlay", root, "overlay", 0, options) == 0) return 0;
  (void)std::fprintf(stderr, "cannot mount the overlay on %s: %s\n", root, std::strerror(errno));
  return 1;
}

/// liblxc would start a container anew by itself when the guest reboots, with the old configuration. A post-stop hook
/// that fails makes it end instead; the exit code of the container's init still tells of the reboot.
int refuse_reboot() {
  const char* target = std::getenv("LXC_TARGET");
  return target != nullptr && std::strcmp(target, "reboot") == 0 ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc >= 3 && std::strcmp(argv[1], "overlay") == 0) return mount_overlay(argv[2]);
  if (argc >= 2 && std::strcmp(argv[1], "stopped") == 0) return refuse_reboot();
  return 2;
}
