#include "daemon/helpers/template_filters.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "daemon/helpers/report.hpp"

namespace berth::helpers {
namespace {

using Value = TemplateValue;
using Filtered = Result<Value>;

constexpr std::int64_t kMaxWidth = 10'000;

char lower_of(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
char upper_of(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (static_cast<unsigned char>(c) & 0x80) != 0; }

std::string each(std::string text, char (*change)(char)) {
  std::transform(text.begin(), text.end(), text.begin(), change);
  return text;
}

std::string replaced(const std::string& text, const std::string& what, std::string_view with) {
  if (what.empty()) return text;
  std::string out;
  std::size_t at = 0;
  for (std::size_t found; (found = text.find(what, at)) != std::string::npos; at = found + what.size()) {
    out.append(text, at, found - at);
    out += with;
  }
  return out.append(text, at, std::string::npos);
}

Filtered same(const Value& value, const Value&) { return value; }
Filtered lower(const Value& value, const Value&) { return Value(each(value.shown(), lower_of)); }
Filtered upper(const Value& value, const Value&) { return Value(each(value.shown(), upper_of)); }

Filtered capfirst(const Value& value, const Value&) {
  std::string text = value.shown();
  if (!text.empty()) text[0] = upper_of(text[0]);
  return Value(std::move(text));
}

Filtered title(const Value& value, const Value&) {
  std::string text = each(value.shown(), lower_of);
  bool inside = false;
  for (char& c : text) {
    if (!inside) c = upper_of(c);
    inside = is_letter(c) || c == '\'';
  }
  return Value(std::move(text));
}

Filtered or_default(const Value& value, const Value& argument) { return value.truth() ? value : argument; }
Filtered default_if_none(const Value& value, const Value& argument) { return value.is_nothing() ? argument : value; }

Filtered escape(const Value& value, const Value&) {
  std::string text = replaced(value.shown(), "&", "&amp;");
  text = replaced(text, ">", "&gt;");
  text = replaced(text, "<", "&lt;");
  text = replaced(text, "\"", "&quot;");
  return Value(replaced(text, "'", "&#39;"));
}

Filtered addslashes(const Value& value, const Value&) {
  std::string text = replaced(value.shown(), "\\", "\\\\");
  text = replaced(text, "\"", "\\\"");
  return Value(replaced(text, "'", "\\'"));
}

Filtered cut(const Value& value, const Value& argument) {
  return Value(replaced(value.shown(), argument.shown(), ""));
}

/// A sum of numbers, or one text after the other.
Filtered add(const Value& value, const Value& argument) {
  const auto number = [](const Value& one) { return one.is_integer() || one.is_float(); };
  if (!number(value) || !number(argument)) return Value(value.shown() + argument.shown());
  if (value.is_float() || argument.is_float()) return Value(value.real() + argument.real());
  std::int64_t sum = 0;
  if (__builtin_add_overflow(value.integer(), argument.integer(), &sum))
    return Error{Code::InvalidArgument, "the sum is too large"};
  return Value(sum);
}

Filtered length(const Value& value, const Value&) { return Value(value.length()); }
Filtered length_is(const Value& value, const Value& argument) { return Value(value.length() == argument.integer()); }
Filtered integer(const Value& value, const Value&) { return Value(value.integer()); }
Filtered real(const Value& value, const Value&) { return Value(value.real()); }

Filtered first(const Value& value, const Value&) {
  if (const auto* list = value.list()) return list->empty() ? Value() : list->front();
  if (const auto* text = value.text()) {
    const auto all = characters(*text);
    return all.empty() ? Value("") : Value(std::string(all.front()));
  }
  return Value("");
}

Filtered last(const Value& value, const Value&) {
  if (const auto* list = value.list()) return list->empty() ? Value() : list->back();
  if (const auto* text = value.text()) {
    const auto all = characters(*text);
    return all.empty() ? Value("") : Value(std::string(all.back()));
  }
  return Value("");
}

Filtered make_list(const Value& value, const Value&) {
  Value::List out;
  const std::string text = value.shown();
  for (const auto one : characters(text)) out.emplace_back(std::string(one));
  return Value(std::move(out));
}

Filtered join(const Value& value, const Value& argument) {
  const Value as_list = value.text() != nullptr ? *make_list(value, {}) : value;
  const auto* list = as_list.list();
  if (list == nullptr) return value;
  const std::string between = argument.shown();
  std::string out;
  for (std::size_t i = 0; i < list->size(); ++i) {
    if (i > 0) out += between;
    out += (*list)[i].shown();
  }
  return Value(std::move(out));
}

Filtered split(const Value& value, const Value& argument) {
  const std::string text = value.shown();
  const std::string between = argument.shown();
  if (between.empty()) return make_list(value, {});
  Value::List out;
  std::size_t at = 0;
  for (std::size_t found; (found = text.find(between, at)) != std::string::npos; at = found + between.size())
    out.emplace_back(text.substr(at, found - at));
  out.emplace_back(text.substr(at));
  return Value(std::move(out));
}

Result<std::size_t> padding(const Value& value, const Value& argument) {
  const std::int64_t width = argument.integer();
  if (width > kMaxWidth) return Error{Code::InvalidArgument, "a width of more than 10000 is refused"};
  return static_cast<std::size_t>(std::max<std::int64_t>(0, width - Value(value.shown()).length()));
}

Filtered ljust(const Value& value, const Value& argument) {
  BERTH_TRY(const std::size_t blank, padding(value, argument));
  return Value(value.shown() + std::string(blank, ' '));
}

Filtered rjust(const Value& value, const Value& argument) {
  BERTH_TRY(const std::size_t blank, padding(value, argument));
  return Value(std::string(blank, ' ') + value.shown());
}

Filtered divisibleby(const Value& value, const Value& argument) {
  const std::int64_t by = argument.integer();
  return Value(by != 0 && by != -1 ? value.integer() % by == 0 : by == -1);
}

/// `yesno:"on,off,unknown"`.
Filtered yesno(const Value& value, const Value& argument) {
  const Value words = argument.truth() ? argument : Value("yes,no,maybe");
  BERTH_TRY(const Value choices, split(words, ","));
  const auto& list = *choices.list();
  if (list.size() < 2) return Error{Code::InvalidArgument, "`yesno` needs two words at least, with a comma between"};
  if (value.is_nothing()) return list.size() > 2 ? list[2] : list[1];
  return value.truth() ? list[0] : list[1];
}

struct Filter {
  std::string_view name;
  Filtered (*apply)(const Value& value, const Value& argument);
};

constexpr std::array kFilters{
    Filter{"add", add},
    Filter{"addslashes", addslashes},
    Filter{"capfirst", capfirst},
    Filter{"cut", cut},
    Filter{"default", or_default},
    Filter{"default_if_none", default_if_none},
    Filter{"divisibleby", divisibleby},
    Filter{"escape", escape},
    Filter{"first", first},
    Filter{"float", real},
    Filter{"integer", integer},
    Filter{"join", join},
    Filter{"last", last},
    Filter{"length", length},
    Filter{"length_is", length_is},
    Filter{"ljust", ljust},
    Filter{"lower", lower},
    Filter{"make_list", make_list},
    Filter{"rjust", rjust},
    Filter{"safe", same},
    Filter{"split", split},
    Filter{"title", title},
    Filter{"upper", upper},
    Filter{"yesno", yesno},
};

}  // namespace

Result<TemplateValue> apply_template_filter(const std::string& name, const TemplateValue& value,
                                            const TemplateValue& argument) {
  for (const Filter& filter : kFilters)
    if (filter.name == name) return filter.apply(value, argument);
  return Error{Code::InvalidArgument, "the filter " + shown(name) + " is not known here"};
}

}  // namespace berth::helpers
