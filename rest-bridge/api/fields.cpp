#include "rest-bridge/api/fields.hpp"

#include <utility>

#include "rest-bridge/api/levels.hpp"
#include "rest-bridge/api/times.hpp"

namespace berth::rest {
namespace {

const Json* find(const Json& object, std::string_view name) {
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

Error wrong(std::string_view name, std::string_view expected) {
  return Error{Code::InvalidArgument,
               "the field \"" + std::string(name) + "\" of the request must be " + std::string(expected)};
}

Result<StringMap> map_of(const Json& object, std::string_view name) {
  if (!object.is_object()) return wrong(name, "an object of texts");
  StringMap map;
  for (const auto& [key, value] : object.items()) {
    if (value.is_null())
      map.emplace(key, "");
    else if (value.is_string())
      map.emplace(key, value.get<std::string>());
    else
      return wrong(std::string(name) + "." + key, "a text");
  }
  return map;
}

/// A `\u0000`, whose backslash is not itself escaped. D-Bus texts end at it, so a name would be cut short unseen.
bool has_nul(std::string_view text) {
  static constexpr std::string_view kEscape = "\\u0000";
  for (auto at = text.find(kEscape); at != std::string_view::npos; at = text.find(kEscape, at + 1)) {
    const auto before = text.substr(0, at).find_last_not_of('\\');
    const auto backslashes = at - (before == std::string_view::npos ? 0 : before + 1);
    if (backslashes % 2 == 0) return true;
  }
  return false;
}

}  // namespace

Result<Json> parse_object(std::string_view text) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return Json(Json::object());
  if (!is_shallow(text)) return Error{Code::InvalidArgument, "the request body is nested too deeply"};
  auto json = Json::parse(text, nullptr, false);
  if (json.is_null()) return Json(Json::object());
  if (has_nul(text)) return Error{Code::InvalidArgument, "the request body has a text with a NUL character"};
  if (json.is_discarded()) return Error{Code::InvalidArgument, "the request body is not valid JSON"};
  if (!json.is_object()) return Error{Code::InvalidArgument, "the request body must be a JSON object"};
  return json;
}

bool has_field(const Json& object, std::string_view name) { return find(object, name) != nullptr; }

Result<std::string> text_field(const Json& object, std::string_view name) {
  const auto* value = find(object, name);
  if (!value) return std::string();
  if (!value->is_string()) return wrong(name, "a text");
  return value->get<std::string>();
}

Result<bool> bool_field(const Json& object, std::string_view name) {
  const auto* value = find(object, name);
  if (!value) return false;
  if (!value->is_boolean()) return wrong(name, "true or false");
  return value->get<bool>();
}

Result<std::int64_t> number_field(const Json& object, std::string_view name, std::int64_t fallback) {
  const auto* value = find(object, name);
  if (!value) return fallback;
  if (!value->is_number_integer()) return wrong(name, "a whole number");
  if (value->is_number_unsigned() && value->get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX))
    return wrong(name, "a smaller number");
  return value->get<std::int64_t>();
}

Result<Strings> strings_field(const Json& object, std::string_view name) {
  const auto* value = find(object, name);
  if (!value) return Strings();
  if (!value->is_array()) return wrong(name, "a list of texts");
  Strings strings;
  for (const auto& element : *value) {
    if (!element.is_string()) return wrong(name, "a list of texts");
    strings.push_back(element.get<std::string>());
  }
  return strings;
}

Result<StringMap> map_field(const Json& object, std::string_view name) {
  const auto* value = find(object, name);
  if (!value) return StringMap();
  return map_of(*value, name);
}

Result<StringMaps> maps_field(const Json& object, std::string_view name) {
  const auto* value = find(object, name);
  if (!value) return StringMaps();
  if (!value->is_object()) return wrong(name, "an object of objects");
  StringMaps maps;
  for (const auto& [key, inner] : value->items()) {
    BERTH_TRY(auto map, map_of(inner, std::string(name) + "." + key));
    maps.emplace(key, std::move(map));
  }
  return maps;
}

Result<std::uint64_t> time_field(const Json& object, std::string_view name) {
  BERTH_TRY(const auto text, text_field(object, name));
  if (text.empty()) return std::uint64_t{0};
  const auto time = parse_rfc3339(text);
  if (!time) return wrong(name, "a time like 2030-01-31T12:00:00Z");
  return *time;
}

}  // namespace berth::rest
