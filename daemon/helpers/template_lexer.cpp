#include "daemon/helpers/template_lexer.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "daemon/helpers/report.hpp"

namespace berth::helpers {
namespace {

constexpr std::string_view kBlank = " \t\r\n";
constexpr std::array<std::string_view, 27> kSymbols{"==", "!=", "<>", "<=", ">=", "&&", "||", "(", ")",
                                                    "[",  "]",  "{",  "}",  "|",  ":",  ",",  ".", "=",
                                                    "<",  ">",  "+",  "-",  "*",  "/",  "%",  "!", "^"};

bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view without_trailing_blank(std::string_view text) {
  const std::size_t last = text.find_last_not_of(kBlank);
  return last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlank);
  return first == std::string_view::npos ? std::string_view() : without_trailing_blank(text.substr(first));
}

/// Cuts a template at its braces.
class Splitter {
 public:
  explicit Splitter(std::string_view text) : text_(text) {}

  Result<std::vector<TemplatePiece>> run() {
    for (;;) {
      const std::size_t open = next_opening(at_);
      if (open == std::string_view::npos) break;
      BERTH_CHECK(take(open));
    }
    add_text(text_.size(), false);
    return std::move(pieces_);
  }

 private:
  std::size_t next_opening(std::size_t from) const {
    for (std::size_t at = text_.find('{', from); at != std::string_view::npos; at = text_.find('{', at + 1))
      if (at + 1 < text_.size() && (text_[at + 1] == '{' || text_[at + 1] == '%' || text_[at + 1] == '#')) return at;
    return std::string_view::npos;
  }

  std::size_t line_at(std::size_t at) {
    line_ += static_cast<std::size_t>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(counted_),
                                                 text_.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
    counted_ = at;
    return line_;
  }

  void add_text(std::size_t end, bool trim_end) {
    std::string_view literal = text_.substr(at_, end - at_);
    if (trim_next_) literal.remove_prefix(std::min(literal.find_first_not_of(kBlank), literal.size()));
    if (trim_end) literal = without_trailing_blank(literal);
    trim_next_ = false;
    if (!literal.empty()) pieces_.push_back({TemplatePiece::Kind::Text, literal, line_});
  }

  /// Where `closing` is, passing over quoted texts (a comment has none).
  std::size_t find_closing(std::size_t from, std::string_view closing, bool quotes) const {
    char quote = 0;
    for (std::size_t at = from; at + 1 < text_.size(); ++at) {
      const char c = text_[at];
      if (quote != 0) {
        if (c == '\\') ++at;
        if (c == quote) quote = 0;
      } else if (quotes && (c == '"' || c == '\'')) {
        quote = c;
      } else if (text_.substr(at, 2) == closing) {
        return at;
      }
    }
    return std::string_view::npos;
  }

  Result<void> take(std::size_t open) {
    const std::size_t line = line_at(open);
    const char kind = text_[open + 1];
    const std::string_view closing = kind == '{' ? "}}" : kind == '%' ? "%}" : "#}";
    std::size_t begin = open + 2;
    const bool trim_before = begin < text_.size() && text_[begin] == '-';
    if (trim_before) ++begin;
    const std::size_t end = find_closing(begin, closing, kind != '#');
    if (end == std::string_view::npos)
      return template_error(line, "there is no `" + std::string(closing) + "` for this `{" + kind + "`");
    std::string_view content = text_.substr(begin, end - begin);
    const bool trim_after = content.ends_with('-');
    if (trim_after) content.remove_suffix(1);

    add_text(open, trim_before);
    at_ = end + 2;
    trim_next_ = trim_after;
    if (kind == '#') return {};
    if (kind == '%' && trimmed(content) == "verbatim") return take_verbatim(line);
    pieces_.push_back({kind == '{' ? TemplatePiece::Kind::Output : TemplatePiece::Kind::Tag, content, line});
    return {};
  }

  Result<void> take_verbatim(std::size_t line) {
    for (std::size_t open = text_.find("{%", at_); open != std::string_view::npos; open = text_.find("{%", open + 2)) {
      const std::size_t end = text_.find("%}", open);
      if (end == std::string_view::npos) break;
      if (trimmed(text_.substr(open + 2, end - open - 2)) != "endverbatim") continue;
      add_text(open, false);
      (void)line_at(open);
      at_ = end + 2;
      return {};
    }
    return template_error(line, "`verbatim` has no `endverbatim`");
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t counted_ = 0;
  std::size_t line_ = 1;
  bool trim_next_ = false;
  std::vector<TemplatePiece> pieces_;
};

/// Takes a quoted text off the front of `rest`; nothing when its end is missing.
std::optional<std::string> take_quoted(std::string_view& rest) {
  const char quote = rest.front();
  std::string out;
  for (std::size_t at = 1; at < rest.size(); ++at) {
    if (rest[at] == quote) {
      rest.remove_prefix(at + 1);
      return out;
    }
    if (rest[at] == '\\' && at + 1 < rest.size()) {
      ++at;
      out += rest[at] == 'n' ? '\n' : rest[at] == 't' ? '\t' : rest[at] == 'r' ? '\r' : rest[at];
    } else {
      out += rest[at];
    }
  }
  return std::nullopt;
}

}  // namespace

Error template_error(std::size_t line, const std::string& what) {
  return Error{Code::InvalidArgument, "line " + std::to_string(line) + ": " + what};
}

Result<std::vector<TemplatePiece>> split_template(std::string_view text) { return Splitter(text).run(); }

Result<std::vector<TemplateToken>> template_words(const TemplatePiece& piece) {
  using Kind = TemplateToken::Kind;
  std::vector<TemplateToken> out;
  std::string_view rest = piece.content;
  const auto take = [&](Kind kind, std::size_t length) {
    out.push_back({kind, std::string(rest.substr(0, length))});
    rest.remove_prefix(length);
  };
  const auto run_of = [&](auto belongs) {
    return static_cast<std::size_t>(std::find_if_not(rest.begin(), rest.end(), belongs) - rest.begin());
  };
  for (;;) {
    rest.remove_prefix(std::min(rest.find_first_not_of(kBlank), rest.size()));
    if (rest.empty()) break;
    if (is_name_start(rest.front())) {
      take(Kind::Name, run_of([](char c) { return is_name_start(c) || is_digit(c); }));
    } else if (is_digit(rest.front())) {
      take(Kind::Number, run_of(is_digit));
    } else if (rest.front() == '"' || rest.front() == '\'') {
      auto quoted = take_quoted(rest);
      if (!quoted) return template_error(piece.line, "a text has no closing quote");
      out.push_back({Kind::Text, *std::move(quoted)});
    } else {
      const auto* const symbol =
          std::find_if(kSymbols.begin(), kSymbols.end(), [&](std::string_view one) { return rest.starts_with(one); });
      if (symbol == kSymbols.end())
        return template_error(piece.line, "the character " + shown(rest.substr(0, 1)) + " has no meaning here");
      take(Kind::Symbol, symbol->size());
    }
  }
  out.push_back({});
  return out;
}

}  // namespace berth::helpers
