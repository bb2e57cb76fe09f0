#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <nlohmann/json.hpp>

#include <array>
#include <cerrno>
#include <fstream>
#include <optional>
#include <string>
#include <thread>

#include "base/helper_process.hpp"
#include "daemon/helpers/check_tree.hpp"
#include "daemon/helpers/confine.hpp"
#include "daemon/helpers/report.hpp"
#include "daemon/helpers/verbs.hpp"

namespace berth::helpers {
namespace {

constexpr const char* kUnsquashfs = "/usr/bin/unsquashfs";
constexpr std::size_t kMaxLine = 16 << 10;

/// Number of inodes from the superblock, which unsquashfs goes by as well.
Result<std::uint32_t> inode_count() {
  const UniqueFd file(open("/image", O_RDONLY | O_CLOEXEC));
  std::array<unsigned char, 8> head{};
  if (!file || pread(file.get(), head.data(), head.size(), 0) != static_cast<ssize_t>(head.size()))
    return Error{Code::InvalidArgument, "the squashfs file is truncated"};
  return static_cast<std::uint32_t>(head[4]) | static_cast<std::uint32_t>(head[5]) << 8 |
         static_cast<std::uint32_t>(head[6]) << 16 | static_cast<std::uint32_t>(head[7]) << 24;
}

/// An attribute that belongs to the host (`trusted.*`, labels of security modules) cannot be set in the confinement and
/// is left out, as from a tarball.
bool is_host_attribute_complaint(std::string_view line) {
  constexpr std::string_view kStart = "write_xattr: failed to write xattr ";
  if (!line.starts_with(kStart)) return false;
  line.remove_prefix(kStart.size());
  return line.starts_with("trusted.") || (line.starts_with("security.") && !line.starts_with("security.capability "));
}

/// What unsquashfs writes to its standard error, judged line by line as it comes.
class Complaints {
 public:
  void add(std::string_view text) {
    rest_ += text;
    std::size_t begin = 0;
    for (std::size_t end; (end = rest_.find('\n', begin)) != std::string::npos; begin = end + 1)
      judge(std::string_view(rest_).substr(begin, end - begin));
    rest_.erase(0, begin);
    if (rest_.size() > kMaxLine) rest_.resize(kMaxLine);
  }
  Result<void> verdict(int status) {
    if (!rest_.empty()) judge(std::exchange(rest_, {}));
    if (error_) return *std::move(error_);
    if (WIFEXITED(status) && first_.empty() && (WEXITSTATUS(status) == 0 || (WEXITSTATUS(status) == 2 && tolerated_)))
      return {};
    if (WIFEXITED(status) && WEXITSTATUS(status) >= 126) return Error{Code::Internal, first_};
    return Error{Code::InvalidArgument, "the squashfs file is damaged, truncated or not understood: " + shown(first_)};
  }
  bool overlay_marks() const { return overlay_marks_; }

 private:
  void judge(std::string_view line) {
    if (line.empty() || error_) return;
    if (is_host_attribute_complaint(line)) {
      tolerated_ = true;
      overlay_marks_ = overlay_marks_ || line.find(" trusted.overlay.") != std::string_view::npos;
    } else if (line.find("No space left on device") != std::string_view::npos) {
      error_ = Error{Code::Unavailable, "the disk is full: cannot unpack the image; free some space and try again"};
    } else if (line.find("File too large") != std::string_view::npos) {
      error_ = Error{Code::LimitsExceeded, "a file of the image is too large: " + shown(line)};
    } else if (line.find("create_inode: failed to create") != std::string_view::npos &&
               line.find(" device ") != std::string_view::npos) {
      error_ = Error{Code::InvalidArgument,
                     "the image holds a device node, which an unprivileged image may not have: " + shown(line)};
    } else if (first_.empty()) {
      first_ = line;
    }
  }

  std::string rest_;
  std::string first_;  ///< the first complaint that nothing explains
  std::optional<Error> error_;
  bool tolerated_ = false;
  bool overlay_marks_ = false;
};

/// Runs unsquashfs with literals only; the value is its wait status. It goes on after an error (`-ignore-errors`),
/// since an attribute of the host's is one; whether the image is good is for the complaints to say. Members of dev/
/// stay out (see unpack.cpp: liblxc mounts its own /dev there).
Result<int> run_unsquashfs(Complaints& complaints) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return system_error("cannot make a pipe", errno);
  const UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  // Its standard output has no reader: there is no /dev/null here, and what it tells of its progress is for nobody.
  if (pipe2(ends, O_CLOEXEC) != 0) return system_error("cannot make a pipe", errno);
  UniqueFd nobody_reads(ends[0]);
  const UniqueFd nowhere(ends[1]);
  nobody_reads.reset();
  const std::string processors = std::to_string(std::min(std::thread::hardware_concurrency(), 8U));
  const std::array argv{kUnsquashfs,
                        "-no-progress",
                        "-quiet",
                        "-force",
                        "-ignore-errors",
                        "-processors",
                        processors.c_str(),
                        "-da",
                        "64",
                        "-fr",
                        "64",
                        "-dest",
                        "/rootfs",
                        "-excludes",
                        "/image",
                        "dev/*",
                        static_cast<const char*>(nullptr)};
  const pid_t child = fork();
  if (child < 0) return system_error("cannot fork", errno);
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(nowhere.get(), STDOUT_FILENO);
    dup2(write_end.get(), STDERR_FILENO);
    close(kHelperReport);
    const std::array<const char*, 2> environment{"LC_ALL=C.UTF-8", nullptr};
    execve(kUnsquashfs, const_cast<char* const*>(argv.data()), const_cast<char* const*>(environment.data()));
    constexpr std::string_view kMissing = "cannot start /usr/bin/unsquashfs; install squashfs-tools\n";
    if (::write(STDERR_FILENO, kMissing.data(), kMissing.size()) < 0) _exit(126);
    _exit(127);
  }
  write_end.reset();
  std::array<char, 4096> chunk{};
  for (;;) {
    const ssize_t n = read(read_end.get(), chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    complaints.add({chunk.data(), static_cast<std::size_t>(n)});
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

Error too_much_data() { return Error{Code::LimitsExceeded, "the image holds more data than is accepted"}; }

Result<std::string> unpack_and_check(std::uint64_t max_bytes, std::uint64_t max_members) {
  BERTH_TRY(const std::uint32_t inodes, inode_count());
  if (inodes > max_members) return Error{Code::LimitsExceeded, "the image has too many files"};
  Complaints complaints;
  BERTH_TRY(const int status, run_unsquashfs(complaints));
  BERTH_CHECK(complaints.verdict(status));
  const UniqueFd root(open("/rootfs", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  BERTH_TRY(const TreeFacts facts, check_tree(root.get(), max_members));
  if (facts.bytes > max_bytes) return too_much_data();
  return nlohmann::json{{"members", facts.members}, {"plain", complaints.overlay_marks() || facts.overlay_marks}}
      .dump();
}

/// Bytes that the (only) child of `confined` has written, holes not counted; 0 while there is none.
std::uint64_t written_by_child_of(int confined) {
  const std::string task = std::to_string(confined);
  std::ifstream children("/proc/" + task + "/task/" + task + "/children");
  int child = 0;
  if (!(children >> child)) return 0;
  std::ifstream io("/proc/" + std::to_string(child) + "/io");
  std::string key;
  for (std::uint64_t value = 0; io >> key >> value;)
    if (key == "wchar:") return value;
  return 0;
}

}  // namespace

Result<int> unpack_squashfs(std::uint64_t max_bytes, std::uint64_t max_members) {
  Confinement confinement;
  confinement.shares = {{kHelperFirst, "rootfs"}, {kHelperFirst + 1, "image", true}};
  confinement.programs = true;
  confinement.memory = 4UL << 30;
  const auto work = [&] {
    const auto result = unpack_and_check(max_bytes, max_members);
    if (result)
      report_result(*result);
    else
      report_error(result.error());
    return result ? 0 : 1;
  };
  // A bomb is ended while it goes off; one that was quick is found by the look afterwards.
  bool too_much = false;
  const auto watch = [&](int child) {
    const std::uint64_t written = written_by_child_of(child);
    if (written > 0) report_progress(written);
    too_much = too_much || written > max_bytes;
    return too_much;
  };
  BERTH_TRY(const int status, run_confined(confinement, work, watch));
  if (too_much) return too_much_data();
  if (WIFSIGNALED(status))
    return Error{Code::InvalidArgument, "the squashfs file cannot be read: its unpacking broke off by signal " +
                                            std::to_string(WTERMSIG(status))};
  return WEXITSTATUS(status);
}

}  // namespace berth::helpers
