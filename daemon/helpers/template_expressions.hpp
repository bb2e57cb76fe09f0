#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/helpers/template_lexer.hpp"
#include "daemon/helpers/template_syntax.hpp"

namespace berth::helpers {

/// Reads the words of one tag, expressions among them.
class TemplateWords {
 public:
  TemplateWords(std::vector<TemplateToken> words, std::size_t line) : words_(std::move(words)), line_(line) {}

  bool at_end() const { return words_[at_].kind == TemplateToken::Kind::End; }
  /// Takes the next word if it is this name or symbol.
  bool take(std::string_view word);
  Result<void> expect(std::string_view word);
  Result<std::string> name(std::string_view what);
  Result<TemplateExpressionPtr> expression();
  /// Nothing may be left.
  Result<void> finish() const;
  std::size_t line() const { return line_; }
  /// The next word, for error texts.
  std::string next() const;

 private:
  bool is(std::string_view word, std::size_t ahead = 0) const;
  TemplateExpressionPtr make(TemplateExpression::Kind kind, std::string name = {}) const;
  TemplateExpressionPtr binary(std::string symbol, TemplateExpressionPtr left, TemplateExpressionPtr right) const;
  Result<TemplateExpressionPtr> negation();
  Result<TemplateExpressionPtr> comparison();
  Result<TemplateExpressionPtr> sum();
  Result<TemplateExpressionPtr> product();
  Result<TemplateExpressionPtr> filtered();
  Result<TemplateExpressionPtr> member();
  Result<TemplateExpressionPtr> primary();
  Result<void> arguments(TemplateExpression& call);

  std::vector<TemplateToken> words_;  ///< the last one is of kind End
  std::size_t at_ = 0;
  std::size_t line_;
  std::size_t depth_ = 0;
};

}  // namespace berth::helpers
