#pragma once

#include "base/result.hpp"
#include "base/unique_fd.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <termios.h>

namespace berth::cli {

bool is_terminal(int fd) noexcept;

struct TerminalSize {
  unsigned width = 0;
  unsigned height = 0;
};
/// Zeros when `fd` is no terminal.
TerminalSize terminal_size(int fd) noexcept;

/// A terminal that gives every key as it is typed, until this object dies.
class RawMode {
 public:
  /// Nothing is changed when `fd` is no terminal.
  explicit RawMode(int fd) noexcept;
  ~RawMode();
  RawMode(const RawMode&) = delete;
  RawMode& operator=(const RawMode&) = delete;

 private:
  int fd_;
  std::optional<termios> before_;
};

/// Everything up to the end of `fd`. Errors: LimitsExceeded beyond 16 MiB, Internal.
Result<std::string> read_all(int fd);

/// Writes to standard output. What a broken output means is seen at the end, by `flush_output()`.
void print(std::string_view text);
/// Errors: Internal when something that was printed could not be written.
Result<void> flush_output();
/// Prints text that came from a server: as it is for programs, escaped for a terminal (lines stay).
void print_foreign(std::string_view text);
/// One line on standard error.
void complain(std::string_view line);

}  // namespace berth::cli
