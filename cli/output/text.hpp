#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace berth::cli {

/// One character of a UTF-8 text. A byte that begins none is a rune of size 1 that is not valid.
struct Rune {
  char32_t value = 0;
  std::size_t size = 1;
  bool valid = false;
};
/// The character at `at`, which is below the size of `text`.
Rune rune_at(std::string_view text, std::size_t at) noexcept;
bool is_utf8(std::string_view text) noexcept;

/// Whether a terminal would take the character as a command: C0, DEL and C1, line separators, changes of direction.
bool is_control(char32_t rune) noexcept;

/// Text that came from a server, made harmless for a terminal: control characters and bytes that are no UTF-8 become
/// `\x1b`, `\n`, `\u202e`.
std::string printable(std::string_view text);
/// The same, but newlines and tabs stay: messages, logs and values of several lines.
std::string printable_lines(std::string_view text);

/// Cells of a terminal that printable text takes.
std::size_t display_width(std::string_view text);

/// Upper case of ASCII letters.
std::string upper(std::string_view text);

/// Orders names as a person would: runs of digits count as numbers, so that `c2` comes before `c10`.
bool natural_less(std::string_view a, std::string_view b);

/// The parts of `text` between `separator`; one empty part for an empty text.
std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);

}  // namespace berth::cli
