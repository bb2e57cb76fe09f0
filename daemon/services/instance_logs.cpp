#include "daemon/services/instance_logs.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace berth::services {
namespace {

constexpr std::uint64_t kBlock = 4096;

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { (void)closedir(directory); }
};

/// Nothing in the folder is a link, so none is followed.
UniqueFd open_folder(const std::string& folder) {
  return UniqueFd{open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
}

UniqueFd open_file(const std::string& folder, const std::string& name, int flags) {
  const auto directory = open_folder(folder);
  if (!directory) return {};
  return UniqueFd{openat(directory.get(), name.c_str(), flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
}

Result<void> copy_bytes(int from, std::uint64_t begin, std::uint64_t end, int to) {
  std::array<char, 65536> buffer{};
  while (begin < end) {
    const auto wanted = std::min<std::uint64_t>(buffer.size(), end - begin);
    const auto got = pread(from, buffer.data(), wanted, static_cast<off_t>(begin));
    if (got < 0) return system_error("cannot read the log", errno);
    if (got == 0) return {};
    const char* rest = buffer.data();
    for (auto left = got; left > 0;) {
      const auto put = write(to, rest, static_cast<std::size_t>(left));
      if (put < 0) return system_error("cannot copy the log", errno);
      rest += put;
      left -= put;
    }
    begin += static_cast<std::uint64_t>(got);
  }
  return {};
}

Error no_log(const std::string& name) { return Error{Code::NotFound, "Log file \"" + name + "\" not found"}; }

}  // namespace

bool is_log_name(const std::string& name) {
  if (name.find('/') != std::string::npos || has_control_characters(name)) return false;
  return name == "lxc.log" || name == "lxc.log.old" || name == "lxc.conf" || name == "console.log" ||
         (name.starts_with("exec_") && (name.ends_with(".stdout") || name.ends_with(".stderr")));
}

Result<void> make_log_folder(const std::string& folder) {
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return system_error("cannot make " + folder, errno);
  return {};
}

Result<std::vector<std::string>> list_logs(const std::string& folder) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, CloseDirectory> directory(opendir(folder.c_str()));
  if (!directory) {
    if (errno == ENOENT) return names;
    return system_error("cannot list " + folder, errno);
  }
  while (const auto* entry = readdir(directory.get())) {
    std::string name(entry->d_name);
    if (is_log_name(name)) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<UniqueFd> open_log_copy(const std::string& folder, const std::string& name, std::uint64_t limit) {
  const auto file = open_file(folder, name, O_RDONLY);
  struct stat info {};
  if (!file || fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) return no_log(name);
  UniqueFd copy{memfd_create("log", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
  if (!copy) return system_error("cannot make a memory file", errno);
  const auto size = static_cast<std::uint64_t>(info.st_size);
  BERTH_CHECK(copy_bytes(file.get(), size > limit ? size - limit : 0, size, copy.get()));
  if (lseek(copy.get(), 0, SEEK_SET) != 0 ||
      fcntl(copy.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0)
    return system_error("cannot seal a memory file", errno);
  return copy;
}

Result<void> empty_log(const std::string& folder, const std::string& name) {
  const auto file = open_file(folder, name, O_WRONLY);
  if (!file) return no_log(name);
  if (ftruncate(file.get(), 0) != 0) return system_error("cannot empty " + name, errno);
  return {};
}

Result<void> delete_log(const std::string& folder, const std::string& name) {
  const auto directory = open_folder(folder);
  if (!directory) return no_log(name);
  if (unlinkat(directory.get(), name.c_str(), 0) == 0) return {};
  return errno == ENOENT ? no_log(name) : system_error("cannot delete " + name, errno);
}

std::string output_name(const OperationId& exec, bool error_stream) {
  return "exec_" + exec.str() + (error_stream ? ".stderr" : ".stdout");
}

Result<UniqueFd> make_output_file(const std::string& folder, const OperationId& exec, bool error_stream) {
  const auto directory = open_folder(folder);
  if (!directory) return system_error("cannot open " + folder, errno);
  const auto name = output_name(exec, error_stream);
  UniqueFd file{openat(directory.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600)};
  if (!file) return system_error("cannot make " + name, errno);
  return file;
}

bool has_output_file(const std::string& folder, const OperationId& exec) {
  return static_cast<bool>(open_file(folder, output_name(exec, false), O_RDONLY));
}

void trim_output_files(const std::string& folder, const OperationId& exec, std::uint64_t limit) {
  for (const bool error_stream : {false, true}) {
    const auto file = open_file(folder, output_name(exec, error_stream), O_WRONLY);
    struct stat info {};
    if (!file || fstat(file.get(), &info) != 0) continue;
    const auto size = static_cast<std::uint64_t>(info.st_size);
    if (size <= limit) continue;
    const auto surplus = (size - limit) / kBlock * kBlock;
    (void)fallocate(file.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(surplus));
  }
}

Result<std::size_t> delete_old_outputs(const std::string& folder, Timestamp before) {
  BERTH_TRY(const auto names, list_logs(folder));
  const auto directory = open_folder(folder);
  std::size_t count = 0;
  for (const auto& name : names) {
    struct stat info {};
    if (!name.starts_with("exec_") || fstatat(directory.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (Timestamp(std::chrono::seconds(info.st_mtim.tv_sec)) < before && unlinkat(directory.get(), name.c_str(), 0) == 0) ++count;
  }
  return count;
}

}  // namespace berth::services
