#include "daemon/helpers/template_expressions.hpp"

#include <array>
#include <charconv>
#include <cstdlib>

#include "daemon/helpers/report.hpp"

namespace berth::helpers {
namespace {

using Kind = TemplateExpression::Kind;
using Word = TemplateToken::Kind;

constexpr std::size_t kMaxDepth = 20;
constexpr std::size_t kMaxChain = 30;  ///< operators, filters or attributes in a row
constexpr std::size_t kMaxArguments = 16;

}  // namespace

bool TemplateWords::is(std::string_view word, std::size_t ahead) const {
  if (at_ + ahead >= words_.size()) return false;
  const auto& next = words_[at_ + ahead];
  return (next.kind == Word::Name || next.kind == Word::Symbol) && next.value == word;
}

bool TemplateWords::take(std::string_view word) {
  if (!is(word)) return false;
  ++at_;
  return true;
}

std::string TemplateWords::next() const { return at_end() ? "the end of the tag" : shown(words_[at_].value); }

Result<void> TemplateWords::expect(std::string_view word) {
  if (take(word)) return {};
  return template_error(line_, "`" + std::string(word) + "` is missing before " + next());
}

Result<std::string> TemplateWords::name(std::string_view what) {
  if (words_[at_].kind != Word::Name) return template_error(line_, std::string(what) + " is missing before " + next());
  return words_[at_++].value;
}

Result<void> TemplateWords::finish() const {
  if (at_end()) return {};
  return template_error(line_, next() + " is not understood here");
}

TemplateExpressionPtr TemplateWords::make(Kind kind, std::string name) const {
  auto out = std::make_unique<TemplateExpression>();
  out->kind = kind;
  out->line = line_;
  out->name = std::move(name);
  return out;
}

TemplateExpressionPtr TemplateWords::binary(std::string symbol, TemplateExpressionPtr left,
                                            TemplateExpressionPtr right) const {
  auto out = make(Kind::Binary, std::move(symbol));
  out->operands.push_back(std::move(left));
  out->operands.push_back(std::move(right));
  return out;
}

/// `and` and `or` bind to the right and equally, as in pongo2: `a and b or c` is `a and (b or c)`.
Result<TemplateExpressionPtr> TemplateWords::expression() {
  if (++depth_ > kMaxDepth) return template_error(line_, "the expression nests too deeply");
  BERTH_TRY(auto left, negation());
  const bool both = take("and") || take("&&");
  if (both || take("or") || take("||")) {
    BERTH_TRY(auto right, expression());
    left = binary(both ? "and" : "or", std::move(left), std::move(right));
  }
  --depth_;
  return left;
}

Result<TemplateExpressionPtr> TemplateWords::negation() {
  bool negative = false;
  bool any = false;
  while (take("not") || take("!")) {
    negative = !negative;
    any = true;
  }
  BERTH_TRY(auto inner, comparison());
  // Two of them still make a truth value of what they stand before.
  for (int times = !any ? 0 : negative ? 1 : 2; times > 0; --times) {
    auto out = make(Kind::Not);
    out->operands.push_back(std::move(inner));
    inner = std::move(out);
  }
  return inner;
}

Result<TemplateExpressionPtr> TemplateWords::comparison() {
  BERTH_TRY(auto left, sum());
  for (const char* const symbol : {"==", "!=", "<>", "<=", ">=", "<", ">", "in"}) {
    if (!take(symbol)) continue;
    BERTH_TRY(auto right, sum());
    return binary(symbol, std::move(left), std::move(right));
  }
  if (is("not") && is("in", 1)) {
    at_ += 2;
    BERTH_TRY(auto right, sum());
    auto out = make(Kind::Not);
    out->operands.push_back(binary("in", std::move(left), std::move(right)));
    return out;
  }
  return left;
}

Result<TemplateExpressionPtr> TemplateWords::sum() {
  BERTH_TRY(auto left, product());
  for (std::size_t count = 0; is("+") || is("-"); ++count) {
    if (count == kMaxChain) return template_error(line_, "the sum is too long");
    auto symbol = words_[at_++].value;
    BERTH_TRY(auto right, product());
    left = binary(std::move(symbol), std::move(left), std::move(right));
  }
  return left;
}

Result<TemplateExpressionPtr> TemplateWords::product() {
  BERTH_TRY(auto left, filtered());
  for (std::size_t count = 0; is("*") || is("/") || is("%"); ++count) {
    if (count == kMaxChain) return template_error(line_, "the product is too long");
    auto symbol = words_[at_++].value;
    BERTH_TRY(auto right, filtered());
    left = binary(std::move(symbol), std::move(left), std::move(right));
  }
  return left;
}

Result<TemplateExpressionPtr> TemplateWords::filtered() {
  BERTH_TRY(auto inner, member());
  for (std::size_t count = 0; take("|"); ++count) {
    if (count == kMaxChain) return template_error(line_, "there are too many filters in a row");
    BERTH_TRY(auto filter, name("a filter's name"));
    auto out = make(Kind::Filter, std::move(filter));
    out->operands.push_back(std::move(inner));
    if (take(":")) {
      BERTH_TRY(auto argument, member());
      out->operands.push_back(std::move(argument));
    }
    inner = std::move(out);
  }
  return inner;
}

Result<TemplateExpressionPtr> TemplateWords::member() {
  BERTH_TRY(auto inner, primary());
  for (std::size_t count = 0; is(".") || is("["); ++count) {
    if (count == kMaxChain) return template_error(line_, "there are too many attributes in a row");
    if (take("[")) {
      auto out = make(Kind::Index);
      out->operands.push_back(std::move(inner));
      BERTH_TRY(auto index, expression());
      out->operands.push_back(std::move(index));
      BERTH_CHECK(expect("]"));
      inner = std::move(out);
      continue;
    }
    ++at_;
    const auto& word = words_[at_];
    if (word.kind != Word::Name && word.kind != Word::Number)
      return template_error(line_, "an attribute's name is missing before " + next());
    auto out = make(Kind::Attribute, word.value);
    ++at_;
    out->operands.push_back(std::move(inner));
    inner = std::move(out);
  }
  return inner;
}

Result<void> TemplateWords::arguments(TemplateExpression& call) {
  while (!take(")")) {
    if (call.operands.size() == kMaxArguments) return template_error(line_, "the call has too many arguments");
    if (!call.operands.empty()) BERTH_CHECK(expect(","));
    BERTH_TRY(auto argument, expression());
    call.operands.push_back(std::move(argument));
  }
  return {};
}

Result<TemplateExpressionPtr> TemplateWords::primary() {
  const TemplateToken word = words_[at_];
  if (word.kind == Word::Text) {
    ++at_;
    auto out = make(Kind::Literal);
    out->literal = word.value;
    return out;
  }
  if (word.kind == Word::Number) {
    ++at_;
    auto out = make(Kind::Literal);
    if (is(".") && words_[at_ + 1].kind == Word::Number) {
      out->literal = std::strtod((word.value + "." + words_[at_ + 1].value).c_str(), nullptr);
      at_ += 2;
      return out;
    }
    std::int64_t value = 0;
    if (std::from_chars(word.value.data(), word.value.data() + word.value.size(), value).ec != std::errc())
      return template_error(line_, "the number " + shown(word.value) + " is too large");
    out->literal = value;
    return out;
  }
  if (take("(")) {
    BERTH_TRY(auto inner, expression());
    BERTH_CHECK(expect(")"));
    return inner;
  }
  if (is("-") || is("+")) {
    const bool negative = take("-");
    if (!negative) ++at_;
    if (++depth_ > kMaxDepth) return template_error(line_, "the expression nests too deeply");
    BERTH_TRY(auto inner, member());
    --depth_;
    if (!negative) return inner;
    auto out = make(Kind::Negative);
    out->operands.push_back(std::move(inner));
    return out;
  }
  if (word.kind != Word::Name) return template_error(line_, "a value is missing before " + next());
  ++at_;
  if (word.value == "true" || word.value == "True" || word.value == "false" || word.value == "False") {
    auto out = make(Kind::Literal);
    out->literal = word.value == "true" || word.value == "True";
    return out;
  }
  if (word.value == "none" || word.value == "None" || word.value == "nil") return make(Kind::Literal);
  if (take("(")) {
    auto out = make(Kind::Call, word.value);
    BERTH_CHECK(arguments(*out));
    return out;
  }
  return make(Kind::Variable, word.value);
}

}  // namespace berth::helpers
