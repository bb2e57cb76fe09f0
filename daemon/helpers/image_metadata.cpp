#include "daemon/helpers/image_metadata.hpp"

#include <nlohmann/json.hpp>
#include <yaml-cpp/yaml.h>

#include "base/names.hpp"
#include "daemon/helpers/report.hpp"

namespace berth::helpers {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxEntries = 1000;
constexpr std::size_t kMaxOutput = 4 << 20;

Error wrong(const std::string& field, std::string_view what) {
  return Error{Code::InvalidArgument, "metadata.yaml: " + shown(field) + " " + std::string(what)};
}

class Reader {
 public:
  Result<std::string> text(const YAML::Node& node, const std::string& field) {
    if (node.IsNull()) return std::string();
    if (!node.IsScalar()) return wrong(field, "must be a text");
    const std::string& value = node.Scalar();
    if (has_control_characters(value)) return wrong(field, "has a control character");
    // An alias costs nothing in the file but its whole text here.
    spent_ += value.size() + field.size();
    if (spent_ > kMaxOutput) return Error{Code::LimitsExceeded, "metadata.yaml: its aliases make it too large"};
    return value;
  }

  Result<std::int64_t> integer(const YAML::Node& node, const std::string& field) {
    std::int64_t value = 0;
    if (!node.IsScalar() || !YAML::convert<std::int64_t>::decode(node, value))
      return wrong(field, "must be a whole number");
    return value;
  }

  Result<bool> boolean(const YAML::Node& node, const std::string& field) {
    bool value = false;
    if (!node.IsScalar() || !YAML::convert<bool>::decode(node, value)) return wrong(field, "must be true or false");
    return value;
  }

  Result<json> strings(const YAML::Node& node, const std::string& field) {
    json out = json::object();
    if (node.IsNull()) return out;
    if (!node.IsMap()) return wrong(field, "must be a map");
    if (node.size() > kMaxEntries) return wrong(field, "has too many entries");
    for (const auto& entry : node) {
      BERTH_TRY(const std::string key, text(entry.first, "a key of " + field));
      BERTH_TRY(const std::string value, text(entry.second, field + "." + key));
      out[key] = value;
    }
    return out;
  }

  Result<json> templates(const YAML::Node& node) {
    json out = json::object();
    if (node.IsNull()) return out;
    if (!node.IsMap()) return wrong("templates", "must be a map");
    if (node.size() > kMaxEntries) return wrong("templates", "has too many entries");
    for (const auto& entry : node) {
      BERTH_TRY(const std::string target, text(entry.first, "a key of templates"));
      BERTH_TRY(const json one, template_entry(entry.second, "templates." + target));
      out[target] = one;
    }
    return out;
  }

 private:
  Result<json> template_entry(const YAML::Node& node, const std::string& field) {
    if (!node.IsMap()) return wrong(field, "must be a map");
    json out{{"when", json::array()}, {"create_only", false}, {"properties", json::object()}};
    if (const YAML::Node when = node["when"]; when && !when.IsNull()) {
      if (!when.IsSequence() || when.size() > 16) return wrong(field + ".when", "must be a short list");
      for (const auto& word : when) {
        BERTH_TRY(const std::string value, text(word, field + ".when"));
        out["when"].push_back(value);
      }
    }
    if (const YAML::Node only = node["create_only"]; only && !only.IsNull()) {
      BERTH_TRY(const bool value, boolean(only, field + ".create_only"));
      out["create_only"] = value;
    }
    if (const YAML::Node source = node["template"]) {
      BERTH_TRY(const std::string value, text(source, field + ".template"));
      out["template"] = value;
    } else {
      return wrong(field, "has no `template`");
    }
    if (const YAML::Node properties = node["properties"]) {
      BERTH_TRY(out["properties"], strings(properties, field + ".properties"));
    }
    return out;
  }

  std::size_t spent_ = 0;
};

Result<std::string> convert(const YAML::Node& root) {
  if (!root.IsMap()) return Error{Code::InvalidArgument, "metadata.yaml: must be a map"};
  Reader reader;
  json out{{"properties", json::object()}, {"templates", json::object()}};
  const YAML::Node architecture = root["architecture"];
  if (!architecture) return wrong("architecture", "is missing");
  BERTH_TRY(out["architecture"], reader.text(architecture, "architecture"));
  const YAML::Node created = root["creation_date"];
  if (!created) return wrong("creation_date", "is missing");
  BERTH_TRY(out["creation_date"], reader.integer(created, "creation_date"));
  if (const YAML::Node expires = root["expiry_date"]; expires && !expires.IsNull()) {
    BERTH_TRY(out["expiry_date"], reader.integer(expires, "expiry_date"));
  }
  if (const YAML::Node properties = root["properties"]) {
    BERTH_TRY(out["properties"], reader.strings(properties, "properties"));
  }
  if (const YAML::Node templates = root["templates"]) {
    BERTH_TRY(out["templates"], reader.templates(templates));
  }
  return out.dump(-1, ' ', true, json::error_handler_t::replace);
}

}  // namespace

Result<std::string> metadata_to_json(std::string_view yaml) {
  if (yaml.find('\0') != std::string_view::npos)
    return Error{Code::InvalidArgument, "metadata.yaml: has a control character"};
  try {
    return convert(YAML::Load(std::string(yaml)));
  } catch (const YAML::Exception& failure) {
    return Error{Code::InvalidArgument, std::string("metadata.yaml: ") + failure.what()};
  }
}

}  // namespace berth::helpers
