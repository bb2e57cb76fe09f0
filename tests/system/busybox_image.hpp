#pragma once

#include <string>

namespace berth::testing {

/// Makes a root file system of busybox and its links at `tree`: /sbin/init, a shell, an inittab that starts nothing.
void make_busybox_tree(const std::string& tree);

/// A folder of its own below /var/tmp, removed with everything in it at the end.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace berth::testing
