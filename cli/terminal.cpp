#include "cli/terminal.hpp"

#include "cli/output/text.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <sys/ioctl.h>
#include <unistd.h>

namespace berth::cli {

bool is_terminal(int fd) noexcept { return ::isatty(fd) == 1; }

TerminalSize terminal_size(int fd) noexcept {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0) return {};
  return {.width = size.ws_col, .height = size.ws_row};
}

RawMode::RawMode(int fd) noexcept : fd_(fd) {
  termios mode{};
  if (::tcgetattr(fd, &mode) != 0) return;
  before_ = mode;
  ::cfmakeraw(&mode);
  ::tcsetattr(fd, TCSADRAIN, &mode);
}

RawMode::~RawMode() {
  if (before_) ::tcsetattr(fd_, TCSADRAIN, &*before_);
}

Result<std::string> read_all(int fd) {
  constexpr std::size_t kMost = 16U * 1024U * 1024U;
  std::string text;
  std::array<char, 65536> buffer{};
  for (;;) {
    const auto size = ::read(fd, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return system_error("cannot read", errno);
    if (size == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(size));
    if (text.size() > kMost) return Error{Code::LimitsExceeded, "the input is larger than 16 MiB"};
  }
}

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

Result<void> flush_output() {
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) return system_error("cannot write the output", errno);
  return {};
}

void print_foreign(std::string_view text) {
  static const bool to_terminal = is_terminal(STDOUT_FILENO);
  print(to_terminal ? printable_lines(text) : std::string(text));
}

void complain(std::string_view line) {
  std::fflush(stdout);
  std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
}

}  // namespace berth::cli
