#include "cli/document.hpp"

#include <yaml-cpp/yaml.h>

#include <charconv>

namespace berth::cli {
namespace {

Error wrong(const YAML::Node& node, std::string_view what) {
  return Error{Code::InvalidArgument, "line " + std::to_string(node.Mark().line + 1) + ": " + std::string(what)};
}

Result<Json> text_at(const YAML::Node& node) {
  if (node.IsNull()) return Json("");
  if (!node.IsScalar()) return wrong(node, "a text is expected here");
  return Json(node.Scalar());
}

Result<Json> map_at(const YAML::Node& node, Result<Json> (*value)(const YAML::Node&)) {
  auto map = Json::object();
  if (node.IsNull()) return map;
  if (!node.IsMap()) return wrong(node, "a map is expected here");
  for (const auto& entry : node) {
    BERTH_TRY(auto one, value(entry.second));
    map[entry.first.Scalar()] = std::move(one);
  }
  return map;
}

Result<Json> texts_at(const YAML::Node& node) {
  auto list = Json::array();
  if (node.IsNull()) return list;
  if (!node.IsSequence()) return wrong(node, "a list is expected here");
  for (const auto& entry : node) {
    BERTH_TRY(auto one, text_at(entry));
    list.push_back(std::move(one));
  }
  return list;
}

Result<Json> flag_at(const YAML::Node& node) {
  bool flag = false;
  if (!node.IsNull() && !YAML::convert<bool>::decode(node, flag)) return wrong(node, "true or false is expected here");
  return Json(flag);
}

Result<Json> number_at(const YAML::Node& node) {
  std::int64_t number = 0;
  if (!node.IsNull() && !YAML::convert<std::int64_t>::decode(node, number))
    return wrong(node, "a number is expected here");
  return Json(number);
}

/// Of a map of unknown values each is a text: server settings.
Result<Json> any_at(const YAML::Node& node) {
  if (node.IsMap()) return map_at(node, any_at);
  if (!node.IsSequence()) return text_at(node);
  auto list = Json::array();
  for (const auto& entry : node) {
    BERTH_TRY(auto one, any_at(entry));
    list.push_back(std::move(one));
  }
  return list;
}

Result<Json> object_at(const YAML::Node& node, Shape shape);

Result<Json> objects_at(const YAML::Node& node, Shape shape) {
  auto map = Json::object();
  if (node.IsNull()) return map;
  if (!node.IsMap()) return wrong(node, "a map is expected here");
  for (const auto& entry : node) {
    BERTH_TRY(auto one, object_at(entry.second, shape));
    map[entry.first.Scalar()] = std::move(one);
  }
  return map;
}

Result<Json> value_at(const YAML::Node& node, const Field& field) {
  switch (field.kind) {
    case Kind::Number: return number_at(node);
    case Kind::Flag: return flag_at(node);
    case Kind::Texts: return texts_at(node);
    case Kind::TextMap: return map_at(node, text_at);
    case Kind::TextMaps: return map_at(node, [](const YAML::Node& child) { return map_at(child, text_at); });
    case Kind::Text:
    case Kind::Time: return text_at(node);
    case Kind::ObjectMap: return objects_at(node, field.shape);
    case Kind::Object:
    case Kind::Objects:
    case Kind::Any: break;
  }
  return any_at(node);
}

Result<Json> object_at(const YAML::Node& node, Shape shape) {
  auto object = Json::object();
  if (node.IsNull()) return object;
  if (!node.IsMap()) return wrong(node, "a map is expected here");
  for (const auto& field : shape) {
    const auto child = node[std::string(field.name)];
    if (!child) continue;
    BERTH_TRY(auto value, value_at(child, field));
    if (field.kind == Kind::Any && value == "") value = Json::object();
    object[std::string(field.name)] = std::move(value);
  }
  return object;
}

}  // namespace

Result<Json> read_document(const std::string& text, Shape shape) {
  try {
    return object_at(YAML::Load(text), shape);
  } catch (const YAML::Exception& failure) {
    return Error{Code::InvalidArgument, std::string("the document is not YAML: ") + failure.what()};
  }
}

}  // namespace berth::cli
