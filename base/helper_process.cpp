#include "base/helper_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <charconv>

namespace berth {
namespace {

constexpr std::size_t kMaxReport = 8 << 20;  // a result with the largest metadata that is accepted, with room to spare
constexpr std::size_t kMaxErrorText = 4096;

class SpawnActions {
 public:
  SpawnActions() { posix_spawn_file_actions_init(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  ~SpawnActions() { posix_spawn_file_actions_destroy(&actions_); }
  void put(int from, int to) { posix_spawn_file_actions_adddup2(&actions_, from, to); }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

std::string printable(std::string_view text) {
  std::string out(text.substr(0, kMaxErrorText));
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return out;
}

/// A duplicate that stands clear of the numbers the helper's own descriptors go to, so that no dup2 overwrites a
/// source.
Result<UniqueFd> clear_of_targets(int fd, int above) {
  const int copy = fcntl(fd, F_DUPFD_CLOEXEC, above);
  if (copy < 0) return system_error("cannot duplicate a descriptor", errno);
  return UniqueFd(copy);
}

}  // namespace

Result<HelperProcess> HelperProcess::start(const std::string& program, const std::vector<std::string>& arguments,
                                           int input, const std::vector<int>& descriptors) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return system_error("cannot make a pipe", errno);
  UniqueFd read_end(ends[0]), write_end(ends[1]);
  fcntl(read_end.get(), F_SETFL, O_NONBLOCK);

  UniqueFd null;
  if (input < 0) {
    null.reset(open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!null) return system_error("cannot open /dev/null", errno);
    input = null.get();
  }

  const int above = kHelperFirst + static_cast<int>(descriptors.size());
  std::vector<UniqueFd> sources;
  SpawnActions actions;
  const auto put = [&](int fd, int number) -> Result<void> {
    BERTH_TRY(UniqueFd source, clear_of_targets(fd, above));
    actions.put(source.get(), number);
    sources.push_back(std::move(source));
    return {};
  };
  BERTH_CHECK(put(input, kHelperInput));
  BERTH_CHECK(put(write_end.get(), kHelperReport));
  int number = kHelperFirst;
  for (const int fd : descriptors) BERTH_CHECK(put(fd, number++));

  std::vector<std::string> words{program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::array<char*, 1> environment{nullptr};

  // Signals that the daemon blocks or ignores for its own loop are plain again in the helper.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t pid = -1;
  const int failed = posix_spawn(&pid, program.c_str(), actions.get(), &attributes, argv.data(), environment.data());
  posix_spawnattr_destroy(&attributes);
  if (failed != 0) return system_error("cannot start " + program, failed);
  return HelperProcess(pid, std::move(read_end));
}

HelperProcess::HelperProcess(HelperProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      report_(std::move(other.report_)),
      buffer_(std::move(other.buffer_)),
      result_(std::move(other.result_)),
      has_result_(other.has_result_),
      overlong_(other.overlong_),
      error_(std::move(other.error_)) {}

void HelperProcess::kill() {
  if (pid_ > 0) ::kill(pid_, SIGKILL);
}

HelperProcess::~HelperProcess() {
  if (pid_ <= 0) return;
  kill();
  reap();
}

int HelperProcess::reap() {
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return status;
}

void HelperProcess::take_line(std::string_view line, const Progress& progress) {
  if (line.starts_with("progress ")) {
    std::uint64_t bytes = 0;
    line.remove_prefix(9);
    if (std::from_chars(line.data(), line.data() + line.size(), bytes).ec == std::errc() && progress) progress(bytes);
  } else if (line.starts_with("result ")) {
    result_ = line.substr(7);
    has_result_ = true;
  } else if (line.starts_with("error ") && error_.empty()) {
    error_ = line.substr(6);
  }
}

bool HelperProcess::read_report(const Progress& progress) {
  std::array<char, 65536> chunk;
  for (;;) {
    const ssize_t n = read(report_.get(), chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN;
    if (n == 0) return false;
    buffer_.append(chunk.data(), static_cast<std::size_t>(n));
    std::size_t begin = 0;
    for (std::size_t end; (end = buffer_.find('\n', begin)) != std::string::npos; begin = end + 1)
      take_line(std::string_view(buffer_).substr(begin, end - begin), progress);
    buffer_.erase(0, begin);
    if (buffer_.size() > kMaxReport) {
      overlong_ = true;
      buffer_.clear();
      return false;
    }
  }
}

Result<std::string> HelperProcess::await_result(const std::function<bool()>& cancelled) {
  while (!has_result_ && error_.empty()) {
    pollfd waiting{report_.get(), POLLIN, 0};
    const int ready = poll(&waiting, 1, 200);
    if (ready > 0 && !read_report({})) break;
    if (cancelled && cancelled()) break;
  }
  if (has_result_ && error_.empty()) return result_;
  return finish({}, cancelled);
}

Result<std::string> HelperProcess::finish(const Progress& progress, const std::function<bool()>& cancelled) {
  for (;;) {
    pollfd waiting{report_.get(), POLLIN, 0};
    const int ready = poll(&waiting, 1, 200);
    if (ready > 0 && !read_report(progress)) break;
    if (cancelled && cancelled()) {
      kill();
      reap();
      return Error{Code::Cancelled, "cancelled"};
    }
  }
  if (overlong_) kill();
  const int status = reap();
  if (!error_.empty()) {
    const std::size_t blank = error_.find(' ');
    const std::string name = "org.berth.Berth1.Error." + error_.substr(0, blank);
    return Error{code_from_dbus(name), blank == std::string::npos ? "" : printable(error_.substr(blank + 1))};
  }
  if (overlong_) return Error{Code::LimitsExceeded, "the helper's answer is too long"};
  if (WIFSIGNALED(status))
    return Error{Code::Internal, "the helper was ended by signal " + std::to_string(WTERMSIG(status))};
  if (!has_result_ || WEXITSTATUS(status) != 0)
    return Error{Code::Internal,
                 "the helper ended with status " + std::to_string(WEXITSTATUS(status)) + " and no answer"};
  return std::move(result_);
}

Result<std::string> run_helper(const std::string& program, std::initializer_list<const char*> arguments, int input,
                               const std::vector<int>& descriptors, const std::function<bool()>& cancelled) {
  BERTH_TRY(HelperProcess helper, HelperProcess::start(program, arguments, input, descriptors));
  return helper.finish({}, cancelled);
}

}  // namespace berth
