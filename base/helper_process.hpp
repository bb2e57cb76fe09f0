#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace berth {

/// Descriptor numbers that berth-helper finds its things at: its input, its report pipe, then the verb's own ones.
inline constexpr int kHelperInput = 0;
inline constexpr int kHelperReport = 3;
inline constexpr int kHelperFirst = 4;

/// One run of berth-helper. The program is started with an argument vector and inherits just the descriptors it is
/// given; it reports by lines on a pipe: `progress BYTES`, and at the end `result TEXT` or `error CODE TEXT`. What
/// comes over that pipe was written by a process that reads hostile input: it is bounded and control characters are
/// taken out of error texts; a result is for the caller to parse with care.
/// Blocking; one thread at a time. The destructor kills a helper that still runs and reaps it.
class HelperProcess {
 public:
  using Progress = std::function<void(std::uint64_t bytes)>;

  /// Starts `program` (an absolute path) with the given arguments. `input` becomes its standard input (-1: /dev/null);
  /// `descriptors` become kHelperFirst and up; they stay the caller's. Errors: Internal.
  static Result<HelperProcess> start(const std::string& program, const std::vector<std::string>& arguments, int input,
                                     const std::vector<int>& descriptors);
  static Result<HelperProcess> start(const std::string& program, std::initializer_list<const char*> arguments,
                                     int input, const std::vector<int>& descriptors) {
    return start(program, std::vector<std::string>(arguments.begin(), arguments.end()), input, descriptors);
  }

  HelperProcess(HelperProcess&& other) noexcept;
  HelperProcess& operator=(HelperProcess&&) = delete;
  HelperProcess(const HelperProcess&) = delete;
  HelperProcess& operator=(const HelperProcess&) = delete;
  ~HelperProcess();

  /// The report pipe, non-blocking, for poll(2) beside other descriptors.
  int report_fd() const noexcept { return report_.get(); }
  /// Reads what is there now. False at the end of the pipe.
  bool read_report(const Progress& progress);
  /// Ends the helper without waiting for that; the end of its report says when no process of it is left.
  void kill();
  /// True when the helper has told an error; finish() returns it.
  bool failed() const noexcept { return !error_.empty(); }
  /// Waits for the result of a helper that works on after it has told it: finish() waits for the end then. Errors: as
  /// finish().
  Result<std::string> await_result(const std::function<bool()>& cancelled);
  /// Waits for the end, asking `cancelled` five times a second; Errors: the helper's own, Cancelled, Internal when it
  /// broke.
  Result<std::string> finish(const Progress& progress, const std::function<bool()>& cancelled);

 private:
  HelperProcess(pid_t pid, UniqueFd report) : pid_(pid), report_(std::move(report)) {}
  void take_line(std::string_view line, const Progress& progress);
  int reap();

  pid_t pid_ = -1;
  UniqueFd report_;
  std::string buffer_;
  std::string result_;
  bool has_result_ = false;
  bool overlong_ = false;
  std::string error_;  ///< `CODE TEXT`
};

/// start() and finish() in one, for short verbs.
Result<std::string> run_helper(const std::string& program, std::initializer_list<const char*> arguments, int input,
                               const std::vector<int>& descriptors, const std::function<bool()>& cancelled = {});

}  // namespace berth
