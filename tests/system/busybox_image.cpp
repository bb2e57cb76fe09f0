#include "tests/system/busybox_image.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace berth::testing {
namespace fs = std::filesystem;

void make_busybox_tree(const std::string& tree) {
  for (const char* folder : {"bin", "sbin", "usr/bin", "usr/sbin", "etc", "proc", "sys", "dev", "tmp", "root", "run", "var"})
    fs::create_directories(tree + "/" + folder);
  fs::copy_file("/bin/busybox", tree + "/bin/busybox");
  for (const char* applet : {"sh", "true", "false", "sleep", "cat", "echo", "id", "pwd", "env", "stty", "kill", "ls", "stat", "touch",
                             "rm", "mount", "ps", "tty", "test", "head", "wc", "seq", "poweroff", "reboot", "halt", "chmod", "chown"})
    fs::create_symlink("busybox", tree + "/bin/" + applet);
  fs::copy_file(BERTH_PRINT_EUID, tree + "/bin/print-euid");
  fs::create_symlink("../bin/busybox", tree + "/sbin/init");
  std::ofstream(tree + "/etc/inittab") << "::sysinit:/bin/true\n";
  std::ofstream(tree + "/etc/passwd") << "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/tmp:/bin/sh\n";
  std::ofstream(tree + "/etc/group") << "root:x:0:\nuser:x:1000:\n";
  if (::chmod((tree + "/tmp").c_str(), 01777) != 0) throw std::runtime_error("cannot make /tmp of the image");
}

ScratchFolder::ScratchFolder() : path_("/var/tmp/berth-system-XXXXXX") {
  if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("cannot make a scratch folder");
}

ScratchFolder::~ScratchFolder() {
  std::error_code failed;
  fs::remove_all(path_, failed);
}

}  // namespace berth::testing
