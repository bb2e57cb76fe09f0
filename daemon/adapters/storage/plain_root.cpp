#include "daemon/adapters/storage/plain_root.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/helper_process.hpp"
#include "base/tree.hpp"

namespace berth::adapters {

Result<void> make_empty_plain_root(int folder) {
  BERTH_TRY(const UniqueFd root, make_folder_at(folder, "rootfs", 0755));
  if (fchmod(root.get(), 0755) != 0) return system_error("cannot set the mode of a root folder", errno);
  return {};
}

Result<void> fill_plain_root(int folder, const std::function<Result<void>(int)>& fill) {
  BERTH_CHECK(make_empty_plain_root(folder));
  const UniqueFd root(openat(folder, "rootfs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!root) return system_error("cannot open a root folder", errno);
  return fill(root.get());
}

Result<void> copy_plain_root(const std::string& helper, const std::string& tree, int folder) {
  BERTH_TRY(const UniqueFd source, open_folder(tree));
  BERTH_TRY(const UniqueFd target, make_folder_at(folder, "rootfs", 0755));
  BERTH_TRY(const std::string answer, run_helper(helper, {"copy"}, -1, {source.get(), target.get()}));
  return {};
}

Result<void> copy_folder(const std::string& helper, int from, const char* source, int to, const char* name) {
  const UniqueFd tree(openat(from, source, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!tree) return system_error("cannot open a tree to copy", errno);
  BERTH_TRY(const UniqueFd target, make_folder_at(to, name, 0755));
  BERTH_TRY(const std::string answer, run_helper(helper, {"copy"}, -1, {tree.get(), target.get()}));
  return {};
}

bool supports_reflink(int folder) {
  const std::array<UniqueFd, 2> files{UniqueFd(openat(folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)),
                                      UniqueFd(openat(folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600))};
  const std::array<char, 4096> block{};
  return files[0] && files[1] &&
         write(files[0].get(), block.data(), block.size()) == static_cast<ssize_t>(block.size()) &&
         ioctl(files[1].get(), FICLONE, files[0].get()) == 0;
}

}  // namespace berth::adapters
