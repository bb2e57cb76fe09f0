#include "cli/output/yaml.hpp"

#include "cli/output/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <vector>

namespace berth::cli {
namespace {

/// The order of map keys, piece by piece: other signs, then runs of digits by their value, then letters.
bool key_less(const std::string& a, const std::string& b) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto rank = [&](char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
    return letter ? 2 : digit(c) ? 1 : 0;
  };
  const auto run = [&](const std::string& text, std::size_t at) {
    auto end = at;
    while (end < text.size() && digit(text[end])) ++end;
    return std::string_view(text).substr(at, end - at);
  };
  const auto value = [](std::string_view digits) {
    return digits.substr(std::min(digits.find_first_not_of('0'), digits.size()));
  };
  std::size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    if (rank(a[i]) != rank(b[j])) return rank(a[i]) < rank(b[j]);
    if (!digit(a[i])) {
      if (a[i] != b[j]) return static_cast<unsigned char>(a[i]) < static_cast<unsigned char>(b[j]);
      ++i, ++j;
      continue;
    }
    const auto left = run(a, i), right = run(b, j);
    const auto left_value = value(left), right_value = value(right);
    if (left_value.size() != right_value.size()) return left_value.size() < right_value.size();
    if (left_value != right_value) return left_value < right_value;
    if (left.size() != right.size()) return left.size() < right.size();
    i += left.size(), j += right.size();
  }
  return a.size() - i < b.size() - j;
}

/// The shortest form that reads back as the same number, without an exponent where it is whole.
std::string number_text(const Json& value) {
  if (value.is_number_integer()) return value.dump();
  std::array<char, 40> text{};
  const auto number = value.get<double>();
  const bool whole = std::floor(number) == number && std::abs(number) < 1e15;
  const auto end = whole ? std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed, 0)
                         : std::to_chars(text.data(), text.data() + text.size(), number);
  return std::string(text.data(), end.ptr);
}

class Writer {
 public:
  std::string take() { return std::move(text_); }

  void value(const Json& json, const Field& field, std::size_t indent) {
    switch (field.kind) {
      case Kind::Time: time(json, indent); return;
      case Kind::Object: object(json, field.shape, indent); return;
      case Kind::Objects: list(json, field.shape, indent); return;
      case Kind::ObjectMap: map(json, field.shape, indent); return;
      case Kind::Texts:
      case Kind::TextMap:
      case Kind::TextMaps:
      case Kind::Any:
      case Kind::Text:
      case Kind::Number:
      case Kind::Flag: any(json, indent); return;
    }
  }

  void document(const Json& json, Shape shape) {
    if (json.is_array())
      list(json, shape, 0);
    else
      object(json, shape, 0);
  }

 private:
  void time(const Json& json, std::size_t indent) {
    const auto text = json.is_string() ? json.get<std::string>() : std::string();
    const bool is_time = !text.empty() && text.find_first_not_of("0123456789-:.+TZ") == std::string::npos;
    is_time ? raw(text) : any(json, indent);
  }

  void any(const Json& json, std::size_t indent) {
    if (json.is_object()) return map(json, {}, indent);
    if (json.is_array()) return list(json, {}, indent);
    if (json.is_string()) return raw(yaml_scalar(json.get<std::string>(), column(), indent));
    if (json.is_number()) return raw(number_text(json));
    raw(json.is_null() ? "null" : json.dump());
  }

  void object(const Json& json, Shape shape, std::size_t indent) {
    if (shape.empty() || !json.is_object()) return any(json, indent);
    for (const auto& field : shape) {
      auto child = member(json, field);
      if (field.omit_empty && (child.is_null() || child.empty() || child == "")) continue;
      key(std::string(field.name), child, indent);
      value(child, field, indent + 2);
      end_line();
    }
  }

  void map(const Json& json, Shape shape, std::size_t indent) {
    if (!json.is_object()) return any(json, indent);
    if (json.empty()) return raw("{}");
    std::vector<std::string> names;
    for (const auto& [name, child] : json.items()) names.push_back(name);
    std::sort(names.begin(), names.end(), key_less);
    for (const auto& name : names) {
      const auto& child = json.at(name);
      key(name, child, indent);
      object(child, shape, indent + 2);
      end_line();
    }
  }

  void list(const Json& json, Shape shape, std::size_t indent) {
    if (!json.is_array()) return any(json, indent);
    if (json.empty()) return raw("[]");
    // A list that is a map's value stands where its key stands.
    const auto place = in_key_ && indent >= 2 ? indent - 2 : indent;
    for (const auto& one : json) {
      start_line(place);
      raw("- ");
      in_key_ = false;
      object(one, shape, place + 2);
      end_line();
    }
  }

  void key(const std::string& name, const Json& child, std::size_t indent) {
    start_line(indent);
    raw(yaml_scalar(name, column(), indent, true) + ':');
    in_key_ = true;
    if ((child.is_object() || child.is_array()) && !child.empty())
      end_line();
    else
      raw(" ");
  }

  /// Indents, unless a list's dash has begun the line.
  void start_line(std::size_t indent) {
    if (column() == 0) text_.append(indent, ' ');
  }
  void end_line() {
    if (!text_.empty() && text_.back() != '\n') text_ += '\n';
  }
  std::size_t column() const {
    const auto line = text_.rfind('\n');
    return line == std::string::npos ? text_.size() : text_.size() - line - 1;
  }
  void raw(std::string_view part) { text_ += part; }

  std::string text_;
  bool in_key_ = false;
};

}  // namespace

std::string yaml_text(const Json& value, Shape shape) {
  Writer writer;
  writer.document(value, shape);
  auto text = writer.take();
  if (text.empty() || text.back() != '\n') text += '\n';
  return text;
}

}  // namespace berth::cli
