#include <algorithm>
#include <array>
#include <initializer_list>

#include "daemon/helpers/report.hpp"
#include "daemon/helpers/template_expressions.hpp"
#include "daemon/helpers/template_lexer.hpp"
#include "daemon/helpers/template_syntax.hpp"

namespace berth::helpers {
namespace {

using Kind = TemplateNode::Kind;

constexpr std::size_t kMaxBlocks = 40;      ///< within one another
constexpr std::size_t kMaxPieces = 100'000;

/// Makes blocks of the pieces. A tag that ends the block at hand is left to whoever began it.
class Parser {
 public:
  explicit Parser(std::vector<TemplatePiece> pieces) : pieces_(std::move(pieces)) {}

  Result<TemplateBlock> run() {
    TemplateBlock out;
    BERTH_TRY(const std::string end, block(out, {}));
    return out;
  }

 private:
  using Ends = std::initializer_list<std::string_view>;

  /// Fills `out` up to a tag named in `ends`, whose words are then in `words_`; returns that name. Without `ends`, up to
  /// the end of the template.
  Result<std::string> block(TemplateBlock& out, Ends ends) {
    if (++depth_ > kMaxBlocks) return template_error(line_, "the blocks nest too deeply");
    const std::size_t begun = line_;
    while (at_ < pieces_.size()) {
      const TemplatePiece piece = pieces_[at_++];
      line_ = piece.line;
      if (piece.kind == TemplatePiece::Kind::Text) {
        out.push_back(make(Kind::Text));
        out.back().text = piece.content;
        continue;
      }
      BERTH_TRY(auto words, template_words(piece));
      words_ = TemplateWords(std::move(words), piece.line);
      if (piece.kind == TemplatePiece::Kind::Output) {
        auto node = make(Kind::Output);
        BERTH_CHECK(add_value(node));
        BERTH_CHECK(words_.finish());
        out.push_back(std::move(node));
        continue;
      }
      BERTH_TRY(std::string tag, words_.name("a tag's name"));
      if (std::find(ends.begin(), ends.end(), tag) != ends.end()) {
        --depth_;
        return tag;
      }
      BERTH_CHECK(take_tag(tag, out));
    }
    if (ends.size() > 0)
      return template_error(begun, "`" + std::string(*(ends.end() - 1)) + "` is missing");
    --depth_;
    return std::string();
  }

  Result<void> take_tag(const std::string& tag, TemplateBlock& out) {
    if (tag == "if") return take_if(out);
    if (tag == "for") return take_for(out);
    if (tag == "set") return take_set(out);
    if (tag == "with") return take_with(out);
    if (tag == "autoescape") return take_autoescape(out);
    if (tag == "comment") return take_comment();
    if (tag == "include" || tag == "extends" || tag == "import" || tag == "ssi")
      return template_error(line_, "`" + tag + "` is not supported: a template here stands alone");
    return template_error(line_, "the tag " + shown(tag) + " is not known here");
  }

  TemplateNode make(Kind kind) const {
    TemplateNode out;
    out.kind = kind;
    out.line = line_;
    return out;
  }

  Result<void> add_value(TemplateNode& node) {
    BERTH_TRY(auto value, words_.expression());
    node.values.push_back(std::move(value));
    return {};
  }

  Result<void> take_if(TemplateBlock& out) {
    auto node = make(Kind::If);
    BERTH_CHECK(add_value(node));
    BERTH_CHECK(words_.finish());
    for (;;) {
      node.blocks.emplace_back();
      BERTH_TRY(const std::string end, block(node.blocks.back(), {"elif", "else", "endif"}));
      if (end == "elif") BERTH_CHECK(add_value(node));
      BERTH_CHECK(words_.finish());
      if (end == "elif") continue;
      if (end == "else") {
        node.blocks.emplace_back();
        BERTH_TRY(const std::string last, block(node.blocks.back(), {"endif"}));
        BERTH_CHECK(words_.finish());
      }
      out.push_back(std::move(node));
      return {};
    }
  }

  Result<void> take_for(TemplateBlock& out) {
    auto node = make(Kind::For);
    do {
      BERTH_TRY(auto name, words_.name("a loop's variable"));
      node.names.push_back(std::move(name));
    } while (node.names.size() < 2 && words_.take(","));
    BERTH_CHECK(words_.expect("in"));
    BERTH_CHECK(add_value(node));
    for (;;) {
      if (words_.take("reversed"))
        node.reversed = true;
      else if (!words_.take("sorted"))  // maps always are, and lists here come from maps
        break;
    }
    BERTH_CHECK(words_.finish());
    node.blocks.resize(2);
    BERTH_TRY(const std::string end, block(node.blocks[0], {"empty", "endfor"}));
    BERTH_CHECK(words_.finish());
    if (end == "empty") {
      BERTH_TRY(const std::string last, block(node.blocks[1], {"endfor"}));
      BERTH_CHECK(words_.finish());
    }
    out.push_back(std::move(node));
    return {};
  }

  Result<void> take_set(TemplateBlock& out) {
    auto node = make(Kind::Set);
    BERTH_TRY(auto name, words_.name("a variable's name"));
    node.names.push_back(std::move(name));
    BERTH_CHECK(words_.expect("="));
    BERTH_CHECK(add_value(node));
    BERTH_CHECK(words_.finish());
    out.push_back(std::move(node));
    return {};
  }

  /// `with a=1 b=2`, or the older `with VALUE as a`.
  Result<void> take_with(TemplateBlock& out) {
    auto node = make(Kind::With);
    TemplateWords start = words_;
    auto first = words_.name("a variable's name");
    if (first && words_.take("=")) {
      for (;;) {
        node.names.push_back(*std::move(first));
        BERTH_CHECK(add_value(node));
        if (words_.at_end()) break;
        first = words_.name("a variable's name");
        BERTH_CHECK(first);
        BERTH_CHECK(words_.expect("="));
      }
    } else {
      words_ = std::move(start);
      BERTH_CHECK(add_value(node));
      BERTH_CHECK(words_.expect("as"));
      BERTH_TRY(auto name, words_.name("a variable's name"));
      node.names.push_back(std::move(name));
      BERTH_CHECK(words_.finish());
    }
    node.blocks.emplace_back();
    BERTH_TRY(const std::string end, block(node.blocks[0], {"endwith"}));
    BERTH_CHECK(words_.finish());
    out.push_back(std::move(node));
    return {};
  }

  /// Nothing is escaped here, on or off: what is made are configuration files.
  Result<void> take_autoescape(TemplateBlock& out) {
    BERTH_TRY(const std::string word, words_.name("`on` or `off`"));
    BERTH_CHECK(words_.finish());
    BERTH_TRY(const std::string end, block(out, {"endautoescape"}));
    return words_.finish();
  }

  Result<void> take_comment() {
    const std::size_t begun = line_;
    while (at_ < pieces_.size()) {
      const TemplatePiece& piece = pieces_[at_++];
      if (piece.kind != TemplatePiece::Kind::Tag) continue;
      const auto words = template_words(piece);
      if (words && words->front().value == "endcomment") return {};
    }
    return template_error(begun, "`endcomment` is missing");
  }

  std::vector<TemplatePiece> pieces_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t depth_ = 0;
  TemplateWords words_{{{}}, 1};
};

}  // namespace

Result<TemplateBlock> parse_template(std::string_view text) {
  BERTH_TRY(auto pieces, split_template(text));
  if (pieces.size() > kMaxPieces) return template_error(1, "the template has too many tags");
  return Parser(std::move(pieces)).run();
}

}  // namespace berth::helpers
