// berth-hook: what liblxc runs for Berth when a container has ended: `berth-hook stopped`; liblxc appends the container's name
// and the hook's. A program of its own, without a C++ runtime, that needs nothing of the host.

#include <cstdlib>
#include <cstring>

namespace {

/// liblxc would start a container anew by itself when the guest reboots, with the old configuration. A post-stop hook
/// that fails makes it end instead; the exit code of the container's init still tells of the reboot.
int refuse_reboot() {
  const char* target = std::getenv("LXC_TARGET");
  return target != nullptr && std::strcmp(target, "reboot") == 0 ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) { return argc >= 2 && std::strcmp(argv[1], "stopped") == 0 ? refuse_reboot() : 2; }
