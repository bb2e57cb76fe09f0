#include "cli/output/json.hpp"

#include "cli/output/text.hpp"

#include <array>
#include <cstdio>

namespace berth::cli {
namespace {

using Ordered = nlohmann::ordered_json;

Ordered arrange(const Json& value, Shape shape);

Ordered arrange_member(const Json& value, const Field& field) {
  if (field.kind == Kind::Object) return value.is_object() ? arrange(value, field.shape) : Ordered(value);
  if (field.kind == Kind::Objects && value.is_array()) return arrange(value, field.shape);
  if (field.kind == Kind::ObjectMap && value.is_object()) {
    auto map = Ordered::object();
    for (const auto& [name, child] : value.items()) map[name] = arrange(child, field.shape);
    return map;
  }
  return Ordered(value);
}

Ordered arrange(const Json& value, Shape shape) {
  if (value.is_array()) {
    auto list = Ordered::array();
    for (const auto& one : value) list.push_back(arrange(one, shape));
    return list;
  }
  if (!value.is_object() || shape.empty()) return Ordered(value);
  auto object = Ordered::object();
  for (const auto& field : shape) {
    const std::string name(field.name);
    const auto found = value.find(name);
    if (found != value.end())
      object[name] = arrange_member(*found, field);
    else if (!field.omit_empty)
      object[name] = Ordered(member(value, field));
  }
  return object;
}

/// Escapes inside strings what the library leaves as it is. Outside of strings none of these occurs.
std::string escape_more(const std::string& text) {
  std::string result;
  result.reserve(text.size() + 16);
  for (std::size_t at = 0; at < text.size();) {
    const auto rune = rune_at(text, at);
    const bool layout = rune.value == '\n' || rune.value == '\t';
    const bool markup = rune.value == '<' || rune.value == '>' || rune.value == '&';
    if (markup || (is_control(rune.value) && !layout)) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(rune.value));
      result += escape.data();
    } else {
      result.append(text, at, rune.size);
    }
    at += rune.size;
  }
  return result;
}

}  // namespace

std::string json_line(const Json& value, Shape shape) {
  return escape_more(arrange(value, shape).dump(-1, ' ', false, Ordered::error_handler_t::replace)) + '\n';
}

std::string json_pretty(const Json& value) {
  return escape_more(value.dump(1, '\t', false, Json::error_handler_t::replace)) + '\n';
}

std::string json_pretty_text(std::string_view text) {
  return escape_more(Ordered::parse(text, nullptr, false).dump(1, '\t', false, Ordered::error_handler_t::replace)) +
         '\n';
}

}  // namespace berth::cli
