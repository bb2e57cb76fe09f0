#include "daemon/helpers/report.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/helper_process.hpp"

namespace berth::helpers {
namespace {

void write_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  text += '\n';
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t n = write(kHelperReport, rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;  // nobody listens any more
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
}

/// The length of the UTF-8 sequence at the start of `text`; 0 when there is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  const std::size_t length = first < 0x80                    ? 1
                             : first >= 0xc2 && first < 0xe0 ? 2
                             : first >= 0xe0 && first < 0xf0 ? 3
                             : first >= 0xf0 && first < 0xf5 ? 4
                                                             : 0;
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  return length;
}

}  // namespace

void report_progress(std::uint64_t bytes) { write_line("progress " + std::to_string(bytes)); }

void report_result(std::string_view text) { write_line("result " + std::string(text)); }

void report_error(const Error& error) {
  std::string_view name = error_row(error.code).dbus_name;
  name.remove_prefix(name.rfind('.') + 1);
  write_line("error " + std::string(name) + " " + error.message);
}

std::string shown(std::string_view name) {
  constexpr std::size_t kShown = 400;
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out = "`";
  const bool cut = name.size() > kShown;
  const std::string whole =
      cut ? std::string(name.substr(0, kShown / 2)) + "..." + std::string(name.substr(name.size() - kShown / 2))
          : std::string(name);
  for (std::string_view rest = whole; !rest.empty();) {
    const std::size_t length = utf8_length(rest);
    const auto first = static_cast<unsigned char>(rest.front());
    // C1 control characters (0xc2 0x80-0x9f) steer terminals just as the C0 ones do.
    const bool c1 = length == 2 && first == 0xc2 && static_cast<unsigned char>(rest[1]) < 0xa0;
    if (length == 0 || first < 0x20 || first == 0x7f || c1) {
      out += "\\x";
      out += kDigits[first >> 4];
      out += kDigits[first & 15];
      rest.remove_prefix(1);
    } else {
      out += rest.substr(0, length);
      rest.remove_prefix(length);
    }
  }
  return out + "`";
}

}  // namespace berth::helpers
