#include "daemon/helpers/template_render.hpp"

#include <charconv>
#include <cstdint>
#include <limits>
#include <vector>

#include "daemon/helpers/report.hpp"
#include "daemon/helpers/template_filters.hpp"
#include "daemon/helpers/template_lexer.hpp"
#include "daemon/helpers/template_syntax.hpp"

namespace berth::helpers {
namespace {

using Value = TemplateValue;
using Expression = TemplateExpression;

class Renderer {
 public:
  Renderer(const Value::Map& variables, const TemplateLimits& limits) : limits_(limits), scopes_{variables, {}} {}

  Result<std::string> run(const TemplateBlock& block) {
    BERTH_CHECK(render(block));
    return std::move(out_);
  }

 private:
  Result<void> step(std::size_t line) {
    if (++steps_ <= limits_.steps) return {};
    return Error{Code::LimitsExceeded, "line " + std::to_string(line) + ": the template takes too long to render"};
  }

  Result<void> write(std::string_view text, std::size_t line) {
    if (out_.size() + text.size() > limits_.output)
      return Error{Code::LimitsExceeded, "line " + std::to_string(line) + ": the template makes too long a text"};
    out_ += text;
    return {};
  }

  /// Texts that are made on the way count too: a loop could double one each time.
  Result<Value> made(Result<Value> value, std::size_t line) {
    if (!value) return template_error(line, value.error().message);
    if (const auto* text = value->text()) texts_ += text->size();
    if (const auto* list = value->list()) texts_ += list->size() * sizeof(Value);
    if (texts_ > limits_.texts)
      return Error{Code::LimitsExceeded, "line " + std::to_string(line) + ": the template makes too much text"};
    return value;
  }

  Result<void> render(const TemplateBlock& block) {
    for (const TemplateNode& node : block) {
      BERTH_CHECK(step(node.line));
      BERTH_CHECK(render(node));
    }
    return {};
  }

  Result<void> render(const TemplateNode& node) {
    switch (node.kind) {
      case TemplateNode::Kind::Text:
        return write(node.text, node.line);
      case TemplateNode::Kind::Output: {
        BERTH_TRY(const Value value, evaluate(*node.values[0]));
        return write(value.shown(), node.line);
      }
      case TemplateNode::Kind::If:
        return render_if(node);
      case TemplateNode::Kind::For:
        return render_for(node);
      case TemplateNode::Kind::Set: {
        BERTH_TRY(scopes_.back()[node.names[0]], evaluate(*node.values[0]));
        return {};
      }
      case TemplateNode::Kind::With: {
        Value::Map scope;
        for (std::size_t i = 0; i < node.names.size(); ++i) {
          BERTH_TRY(scope[node.names[i]], evaluate(*node.values[i]));
        }
        return within(std::move(scope), node.blocks[0]);
      }
    }
    return {};
  }

  Result<void> within(Value::Map scope, const TemplateBlock& block) {
    scopes_.push_back(std::move(scope));
    auto rendered = render(block);
    scopes_.pop_back();
    return rendered;
  }

  Result<void> render_if(const TemplateNode& node) {
    for (std::size_t i = 0; i < node.blocks.size(); ++i) {
      if (i == node.values.size()) return render(node.blocks[i]);
      BERTH_TRY(const Value value, evaluate(*node.values[i]));
      if (value.truth()) return render(node.blocks[i]);
    }
    return {};
  }

  Result<void> render_for(const TemplateNode& node) {
    BERTH_TRY(const Value all, evaluate(*node.values[0]));
    std::vector<std::pair<Value, Value>> members;
    if (const auto* map = all.map()) {
      for (const auto& [key, value] : *map) members.emplace_back(Value(key), value);
    } else if (const auto* list = all.list()) {
      for (const auto& value : *list) members.emplace_back(value, Value());
    } else if (const auto* text = all.text()) {
      for (const auto one : characters(*text)) members.emplace_back(Value(std::string(one)), Value());
    } else if (!all.is_nothing()) {
      return template_error(node.line, "a loop cannot run over " + std::string(all.kind()));
    }
    if (members.empty()) return render(node.blocks[1]);
    const std::size_t count = members.size();
    for (std::size_t i = 0; i < count; ++i) {
      BERTH_CHECK(step(node.line));
      const auto& [key, value] = members[node.reversed ? count - 1 - i : i];
      Value::Map scope{{node.names[0], key}, {"forloop", loop_state(i, count)}};
      if (node.names.size() > 1) scope[node.names[1]] = value;
      BERTH_CHECK(within(std::move(scope), node.blocks[0]));
    }
    return {};
  }

  /// In the spelling of pongo2 and in that of Django.
  Value loop_state(std::size_t at, std::size_t count) {
    const auto number = [](std::size_t value) { return Value(static_cast<std::int64_t>(value)); };
    Value::Map state{{"Counter", number(at + 1)},  {"Counter0", number(at)},         {"Revcounter", number(count - at)},
                     {"First", Value(at == 0)},    {"Last", Value(at + 1 == count)}, {"counter", number(at + 1)},
                     {"counter0", number(at)},     {"revcounter", number(count - at)},
                     {"first", Value(at == 0)},    {"last", Value(at + 1 == count)}};
    return Value(std::move(state));
  }

  Result<Value> evaluate(const Expression& expression) {
    BERTH_CHECK(step(expression.line));
    switch (expression.kind) {
      case Expression::Kind::Literal:
        return expression.literal;
      case Expression::Kind::Variable:
        return variable(expression.name);
      case Expression::Kind::Call:
        return call(expression);
      case Expression::Kind::Attribute: {
        BERTH_TRY(const Value of, evaluate(*expression.operands[0]));
        return member(of, Value(expression.name), expression.line);
      }
      case Expression::Kind::Index: {
        BERTH_TRY(const Value of, evaluate(*expression.operands[0]));
        BERTH_TRY(const Value key, evaluate(*expression.operands[1]));
        return member(of, key, expression.line);
      }
      case Expression::Kind::Not: {
        BERTH_TRY(const Value value, evaluate(*expression.operands[0]));
        return Value(!value.truth());
      }
      case Expression::Kind::Negative: {
        BERTH_TRY(const Value value, evaluate(*expression.operands[0]));
        if (value.is_float()) return Value(-value.real());
        return arithmetic("-", Value(std::int64_t{0}), Value(value.integer()), expression.line);
      }
      case Expression::Kind::Binary:
        return binary(expression);
      case Expression::Kind::Filter: {
        BERTH_TRY(const Value value, evaluate(*expression.operands[0]));
        Value argument;
        if (expression.operands.size() > 1) {
          BERTH_TRY(argument, evaluate(*expression.operands[1]));
        }
        return made(apply_template_filter(expression.name, value, argument), expression.line);
      }
    }
    return Value();
  }

  Value variable(const std::string& name) const {
    for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope)
      if (const auto found = scope->find(name); found != scope->end()) return found->second;
    return {};
  }

  Result<Value> member(const Value& of, const Value& key, std::size_t line) {
    if (of.is_nothing()) return Value();
    if (const auto* map = of.map()) {
      const auto found = map->find(key.shown());
      return found == map->end() ? Value() : found->second;
    }
    if (const auto* list = of.list()) {
      const std::int64_t at = key.integer();
      if (at < 0 || at >= static_cast<std::int64_t>(list->size())) return Value();
      return (*list)[static_cast<std::size_t>(at)];
    }
    return template_error(line, std::string(of.kind()) + " has no member " + shown(key.shown()));
  }

  /// The one function there is.
  Result<Value> call(const Expression& expression) {
    if (expression.name != "config_get")
      return template_error(expression.line, shown(expression.name) + " is not a function");
    if (expression.operands.size() != 2)
      return template_error(expression.line, "`config_get` wants a key and a default");
    BERTH_TRY(const Value key, evaluate(*expression.operands[0]));
    BERTH_TRY(Value fallback, evaluate(*expression.operands[1]));
    const Value config = scopes_.front()["config"];
    const auto* map = config.map();
    if (map == nullptr) return fallback;
    const auto found = map->find(key.shown());
    if (found == map->end()) return fallback;
    std::string value = found->second.shown();
    value.erase(value.find_last_not_of("\r\n") + 1);
    return made(Value(std::move(value)), expression.line);
  }

  Result<Value> binary(const Expression& expression) {
    const std::string& symbol = expression.name;
    BERTH_TRY(const Value left, evaluate(*expression.operands[0]));
    if (symbol == "and" && !left.truth()) return Value(false);
    if (symbol == "or" && left.truth()) return Value(true);
    BERTH_TRY(const Value right, evaluate(*expression.operands[1]));
    if (symbol == "and" || symbol == "or") return Value(right.truth());
    if (symbol == "==") return Value(left == right);
    if (symbol == "!=" || symbol == "<>") return Value(!(left == right));
    if (symbol == "in") return Value(right.contains(left));
    if (symbol == "<" || symbol == ">" || symbol == "<=" || symbol == ">=") return compare(symbol, left, right);
    return arithmetic(symbol, left, right, expression.line);
  }

  /// Order is one of numbers; a text counts as the number that it begins with.
  static Value compare(const std::string& symbol, const Value& left, const Value& right) {
    const bool fractions = left.is_float() || right.is_float();
    const int order = fractions ? (left.real() > right.real()) - (left.real() < right.real())
                                : (left.integer() > right.integer()) - (left.integer() < right.integer());
    if (symbol == "<") return Value(order < 0);
    if (symbol == ">") return Value(order > 0);
    return symbol == "<=" ? Value(order <= 0) : Value(order >= 0);
  }

  Result<Value> arithmetic(const std::string& symbol, const Value& left, const Value& right, std::size_t line) {
    if (symbol == "+") return made(apply_template_filter("add", left, right), line);
    if (left.is_float() || right.is_float()) {
      const double a = left.real();
      const double b = right.real();
      if (symbol == "-") return Value(a - b);
      if (symbol == "*") return Value(a * b);
      if (symbol == "/" && b != 0) return Value(a / b);
      return template_error(line, "these numbers cannot be divided");
    }
    const std::int64_t a = left.integer();
    const std::int64_t b = right.integer();
    std::int64_t value = 0;
    bool bad = false;
    if (symbol == "-") {
      bad = __builtin_sub_overflow(a, b, &value);
    } else if (symbol == "*") {
      bad = __builtin_mul_overflow(a, b, &value);
    } else {
      bad = b == 0 || (a == std::numeric_limits<std::int64_t>::min() && b == -1);
      if (!bad) value = symbol == "/" ? a / b : a % b;
    }
    if (bad) return template_error(line, "this sum has no result");
    return Value(value);
  }

  const TemplateLimits& limits_;
  std::vector<Value::Map> scopes_;  ///< the given ones, the template's own, then one a block
  std::string out_;
  std::size_t steps_ = 0;
  std::size_t texts_ = 0;
};

}  // namespace

Result<std::string> render_template(std::string_view text, const TemplateValue::Map& variables,
                                    const TemplateLimits& limits) {
  if (text.size() > limits.template_bytes) return Error{Code::LimitsExceeded, "the template is too long"};
  BERTH_TRY(const TemplateBlock block, parse_template(text));
  return Renderer(variables, limits).run(block);
}

}  // namespace berth::helpers
