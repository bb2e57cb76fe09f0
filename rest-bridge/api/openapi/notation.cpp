#include "rest-bridge/api/openapi/notation.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace berth::rest::openapi {
namespace {

struct Word {
  std::string_view name;
  const char* schema;
};
constexpr std::array kWords{
    Word{"text", R"({"type":"string"})"},
    Word{"time", R"({"type":"string","format":"date-time"})"},
    Word{"url", R"({"type":"string","format":"uri-reference"})"},
    Word{"number", R"({"type":"integer","format":"int64"})"},
    Word{"real", R"({"type":"number"})"},
    Word{"flag", R"({"type":"boolean"})"},
    Word{"object", R"({"type":"object"})"},
    Word{"any", "{}"},
};

/// What stands before the first `mark` outside brackets, and takes it away from `text` together with the mark.
std::string_view take_until(std::string_view& text, char mark) {
  int depth = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (depth == 0 && c == mark) {
      const auto taken = text.substr(0, at);
      text.remove_prefix(at + 1);
      return taken;
    }
    if (c == '[' || c == '{' || c == '(') ++depth;
    if (c == ']' || c == '}' || c == ')') --depth;
  }
  return std::exchange(text, {});
}

bool is_within(std::string_view text, char open, char close) {
  return text.size() > 2 && text.front() == open && text.back() == close;
}

std::string_view take_word(std::string_view& line) {
  const auto begin = std::min(line.find_first_not_of(' '), line.size());
  const auto end = std::min(line.find(' ', begin), line.size());
  const auto word = line.substr(begin, end - begin);
  line.remove_prefix(std::min(line.find_first_not_of(' ', end), line.size()));
  return word;
}

bool take_mark(std::string_view& word) {
  const bool marked = word.ends_with('?');
  if (marked) word.remove_suffix(1);
  return marked;
}

/// `Name < Base: what it is`
Json begin_schema(std::string_view head, const Json& schemas, std::string& name) {
  auto title = take_until(head, ':');
  const auto own = take_word(title);
  auto written = own;
  const bool nullable = take_mark(written);
  name = written;
  Json schema{{"type", "object"}, {"properties", Json::object()}};
  if (take_word(title) == "<") schema = schemas.value(std::string(take_word(title)), schema);
  if (nullable) schema["nullable"] = true;
  schema["description"] = std::string(head.substr(std::min(head.find_first_not_of(' '), head.size())));
  return schema;
}

void add_field(std::string_view line, Json& schema) {
  auto name = take_word(line);
  const bool optional = take_mark(name);
  auto field = schema_of(take_word(line));
  // A reference stands alone: what is beside it is not looked at.
  if (!line.empty() && !field.contains("$ref")) field["description"] = std::string(line);
  schema["properties"][std::string(name)] = std::move(field);
  if (!optional) schema["required"].push_back(std::string(name));
}

}  // namespace

Json schema_of(std::string_view type) {
  auto rest = type;
  if (const auto first = take_until(rest, '|'); first.size() < type.size()) {
    auto either = Json::array({schema_of(first)});
    while (!rest.empty()) either.push_back(schema_of(take_until(rest, '|')));
    return Json{{"anyOf", std::move(either)}};
  }
  if (take_mark(type)) {
    auto schema = schema_of(type);
    schema["nullable"] = true;
    return schema;
  }
  if (is_within(type, '[', ']')) return Json{{"type", "array"}, {"items", schema_of(type.substr(1, type.size() - 2))}};
  if (is_within(type, '{', '}'))
    return Json{{"type", "object"}, {"additionalProperties", schema_of(type.substr(1, type.size() - 2))}};
  if (is_within(type, '(', ')')) {
    auto texts = Json::array();
    for (auto inner = type.substr(1, type.size() - 2); !inner.empty();) texts.push_back(std::string(take_until(inner, '|')));
    return Json{{"type", "string"}, {"enum", std::move(texts)}};
  }
  for (const auto& word : kWords)
    if (word.name == type) return Json::parse(word.schema);
  return Json{{"$ref", "#/components/schemas/" + std::string(type)}};
}

Json schemas_in(std::string_view text) {
  auto schemas = Json::object();
  std::string name;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.find_first_not_of(' ') == std::string_view::npos) continue;
    if (line.front() != ' ') {
      auto schema = begin_schema(line, schemas, name);
      schemas[name] = std::move(schema);
    } else {
      add_field(line, schemas[name]);
    }
  }
  return schemas;
}

}  // namespace berth::rest::openapi
