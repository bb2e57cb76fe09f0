#include "cli/output/text.hpp"
#include "cli/output/yaml.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <regex.h>

// How texts look in documents follows the emitter that this API's first client uses: yaml.v2, a port of libyaml.

namespace berth::cli {
namespace {

constexpr std::size_t kBestWidth = 80;

/// An extended regular expression, compiled once.
class Pattern {
 public:
  explicit Pattern(const char* text) { ::regcomp(&compiled_, text, REG_EXTENDED | REG_NOSUB); }
  ~Pattern() { ::regfree(&compiled_); }
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;
  bool matches(const std::string& text) const { return ::regexec(&compiled_, text.c_str(), 0, nullptr, 0) == 0; }

 private:
  regex_t compiled_{};
};

/// Whether a reader would take the bare word for a number, a time, a boolean or nothing.
bool is_another_type(const std::string& text) {
  static constexpr std::array kWords{"",      "~",     "null",  "Null",  "NULL",  "y",     "Y",     "yes",
                                     "Yes",   "YES",   "on",    "On",    "ON",    "true",  "True",  "TRUE",
                                     "n",     "N",     "no",    "No",    "NO",    "off",   "Off",   "OFF",
                                     "false", "False", "FALSE", ".nan",  ".NaN",  ".NAN",  ".inf",  ".Inf",
                                     ".INF",  "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", "<<"};
  if (std::find(kWords.begin(), kWords.end(), text) != kWords.end()) return true;
  static const Pattern numbers(
      "^[-+]?(0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|[0-9]+|[.][0-9]+([eE][-+]?[0-9]+)?|[0-9]+([.][0-9]*)?([eE][-+]?"
      "[0-9]+)?)$");
  static const Pattern sexagesimal("^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+([.][0-9_]*)?$");
  static const Pattern time(
      "^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ][0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}([.][0-9]*)?(Z|[-+][0-9]{2}:[0-9]{2})?)?$");
  const char first = text.front();
  if (first != '.' && first != '-' && first != '+' && (first < '0' || first > '9')) return false;
  auto plain = text;
  std::erase(plain, '_');
  return numbers.matches(plain) || sexagesimal.matches(text) || time.matches(text);
}

/// Which ways of writing the text would read back as the same text.
struct Possible {
  bool plain = true;
  bool single = true;
  bool literal = true;
};

Possible analyse(const std::string& text) {
  Possible possible;
  if (text.empty()) return {.plain = true, .single = true, .literal = false};
  bool indicators = text.starts_with("---") || text.starts_with("...");
  bool special = false, breaks = false, space_break = false, break_space = false, previous_space = false,
       previous_break = false;
  bool after_blank = true;
  for (std::size_t at = 0; at < text.size();) {
    const auto rune = rune_at(text, at);
    const auto next = at + rune.size;
    const bool before_blank =
        next >= text.size() || text[next] == ' ' || text[next] == '\t' || text[next] == '\n' || text[next] == '\r';
    const char c = rune.size == 1 ? text[at] : '\0';
    if (at == 0 && std::string_view("#,[]{}&*!|>'\"%@`").find(c) != std::string_view::npos && c != '\0')
      indicators = true;
    if (at == 0 && (c == '?' || c == '-') && before_blank) indicators = true;
    if (c == ':' && before_blank) indicators = true;
    if (at != 0 && c == '#' && after_blank) indicators = true;
    if (!rune.valid || (is_control(rune.value) && rune.value != '\n')) special = true;
    if (c == ' ') {
      if (previous_break) break_space = true;
      previous_space = true;
      previous_break = false;
    } else if (c == '\n') {
      breaks = true;
      if (previous_space) space_break = true;
      previous_break = true;
      previous_space = false;
    } else {
      previous_space = previous_break = false;
    }
    after_blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    at = next;
  }
  const auto edge = [&](char c) { return text.front() == c || text.back() == c; };
  if (edge(' ') || edge('\n')) possible.plain = false;
  if (text.back() == ' ') possible.literal = false;
  if (break_space) possible.plain = possible.single = false;
  if (space_break || special) possible = {.plain = false, .single = false, .literal = false};
  if (breaks || indicators) possible.plain = false;
  return possible;
}

/// Writes word by word and folds at blanks once the line is full.
class Folder {
 public:
  Folder(std::size_t column, std::size_t indent, bool key) : column_(column), indent_(indent), fold_(!key) {}
  bool is_full() const { return fold_ && column_ > kBestWidth; }
  void put(std::string_view part, std::size_t cells) {
    text_ += part;
    column_ += cells;
  }
  void break_line() {
    text_ += '\n';
    text_.append(indent_, ' ');
    column_ = indent_;
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
  std::size_t column_;
  std::size_t indent_;
  bool fold_;
};

std::string write_plain(const std::string& text, Folder folder, bool quoted) {
  if (quoted) folder.put("'", 1);
  bool after_space = false;
  for (std::size_t at = 0; at < text.size();) {
    const auto rune = rune_at(text, at);
    if (text[at] == ' ') {
      const bool inside = !quoted || (at > 0 && at + 1 < text.size());
      const bool more = at + 1 < text.size() && text[at + 1] == ' ';
      if (folder.is_full() && !after_space && inside && !more)
        folder.break_line();
      else
        folder.put(" ", 1);
      after_space = true;
    } else if (text[at] == '\n') {
      folder.put("\n", 0);
      folder.break_line();
      after_space = false;
    } else {
      if (quoted && text[at] == '\'') folder.put("'", 1);
      folder.put(std::string_view(text).substr(at, rune.size), 1);
      after_space = false;
    }
    at += rune.size;
  }
  if (quoted) folder.put("'", 1);
  return folder.take();
}

std::string escape(const Rune& rune) {
  static constexpr std::pair<char32_t, std::string_view> kShort[] = {
      {0, "\\0"},     {7, "\\a"},    {8, "\\b"},    {'\t', "\\t"},   {'\n', "\\n"},
      {11, "\\v"},    {12, "\\f"},   {'\r', "\\r"}, {0x1b, "\\e"},   {'"', "\\\""},
      {'\\', "\\\\"}, {0x85, "\\N"}, {0xa0, "\\_"}, {0x2028, "\\L"}, {0x2029, "\\P"}};
  for (const auto& [value, text] : kShort)
    if (rune.value == value && rune.valid) return std::string(text);
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), rune.value <= 0xff ? "\\x%02X" : "\\u%04X",
                static_cast<unsigned>(rune.value));
  return text.data();
}

std::string write_double(const std::string& text, Folder folder) {
  folder.put("\"", 1);
  bool after_space = false;
  for (std::size_t at = 0; at < text.size();) {
    const auto rune = rune_at(text, at);
    const char c = text[at];
    if (c == '"' || c == '\\' || !rune.valid || is_control(rune.value)) {
      const auto escaped = escape(rune);
      folder.put(escaped, escaped.size());
      after_space = false;
    } else if (c == ' ') {
      if (folder.is_full() && !after_space && at > 0 && at + 1 < text.size()) {
        folder.break_line();
        if (text[at + 1] == ' ') folder.put("\\", 1);
      } else {
        folder.put(" ", 1);
      }
      after_space = true;
    } else {
      folder.put(std::string_view(text).substr(at, rune.size), 1);
      after_space = false;
    }
    at += rune.size;
  }
  folder.put("\"", 1);
  return folder.take();
}

/// Lines as they are, after `|` and what it must say about blanks at the begin and line breaks at the end.
std::string write_literal(const std::string& text, std::size_t indent) {
  std::string result = "|";
  if (text.front() == ' ' || text.front() == '\n') result += '2';
  if (text.back() != '\n')
    result += '-';
  else if (text.size() == 1 || text[text.size() - 2] == '\n')
    result += '+';
  bool begin = true;
  result += '\n';
  for (const char c : text) {
    if (begin && c != '\n') result.append(indent, ' ');
    result += c;
    begin = c == '\n';
  }
  return result;
}

}  // namespace

std::string yaml_scalar(const std::string& text, std::size_t column, std::size_t indent, bool key) {
  const auto possible = analyse(text);
  const Folder folder(column, indent, key);
  if (!key && text.find('\n') != std::string::npos)
    return possible.literal ? write_literal(text, indent) : write_double(text, folder);
  if (is_another_type(text) || text.find('\n') != std::string::npos) return write_double(text, folder);
  if (possible.plain) return write_plain(text, folder, false);
  return possible.single ? write_plain(text, folder, true) : write_double(text, folder);
}

}  // namespace berth::cli
