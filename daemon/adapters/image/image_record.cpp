#include "daemon/adapters/image/image_record.hpp"

#include <nlohmann/json.hpp>

#include "base/architecture.hpp"

namespace berth::adapters {
namespace {

using nlohmann::json;
using ports::ImageMetadata;
using ports::ImageTemplate;

constexpr std::int64_t kLatest = 253402300799;  // the last second of the year 9999, which RFC 3339 can write

Error wrong(const std::string& field, std::string_view what) {
  return Error{Code::InvalidArgument, "metadata.yaml: `" + field + "` " + std::string(what)};
}

Result<std::string> text(const json& value, const std::string& field) {
  if (!value.is_string()) return wrong(field, "must be a text");
  const auto& out = value.get_ref<const std::string&>();
  if (has_control_characters(out)) return wrong(field, "has a control character");
  return out;
}

Result<ConfigMap> strings(const json& object, const std::string& field) {
  if (!object.is_object()) return wrong(field, "must be a map");
  ConfigMap out;
  for (const auto& [key, value] : object.items()) {
    if (key.empty() || has_control_characters(key))
      return wrong(field, "has a key that is empty or has a control character");
    BERTH_TRY(out[key], text(value, field + "." + key));
  }
  return out;
}

Result<Timestamp> seconds(const json& value, const std::string& field) {
  if (!value.is_number_integer()) return wrong(field, "must be a whole number");
  const auto count = value.get<std::int64_t>();
  if (count < 0 || count > kLatest) return wrong(field, "is no date of this or the coming centuries");
  return Timestamp(std::chrono::seconds(count));
}

Result<ImageTemplate> template_entry(const std::string& target, const json& object) {
  const std::string field = "templates." + target;
  if (has_control_characters(target) || !target.starts_with('/')) return wrong(field, "must be an absolute path");
  ImageTemplate out;
  out.target = target;
  if (!object.is_object() || !object.contains("template")) return wrong(field, "must be a map with `template`");
  BERTH_TRY(out.source, text(object["template"], field + ".template"));
  if (out.source.empty() || out.source == "." || out.source == ".." || out.source.size() > 255 ||
      out.source.find('/') != std::string::npos)
    return wrong(field + ".template", "must be the name of a file in templates/");
  if (object.contains("when")) {
    if (!object["when"].is_array()) return wrong(field + ".when", "must be a list");
    for (const auto& word : object["when"]) {
      BERTH_TRY(std::string value, text(word, field + ".when"));
      out.when.push_back(std::move(value));
    }
  }
  if (object.contains("create_only")) {
    if (!object["create_only"].is_boolean()) return wrong(field + ".create_only", "must be true or false");
    out.create_only = object["create_only"].get<bool>();
  }
  if (object.contains("properties")) {
    BERTH_TRY(out.properties, strings(object["properties"], field + ".properties"));
  }
  return out;
}

Result<ImageMetadata> metadata_from(const json& object) {
  if (!object.is_object()) return Error{Code::InvalidArgument, "metadata.yaml: must be a map"};
  ImageMetadata out;
  const auto member = [&](const char* name) { return object.contains(name) ? object[name] : json(); };
  BERTH_TRY(const std::string name, text(member("architecture"), "architecture"));
  BERTH_TRY(const Architecture architecture, find_architecture(name));
  out.architecture = architecture.name;
  BERTH_TRY(out.created_at, seconds(member("creation_date"), "creation_date"));
  if (out.created_at == kNever) return Error{Code::InvalidArgument, "Missing creation date"};
  if (object.contains("expiry_date")) {
    BERTH_TRY(out.expires_at, seconds(object["expiry_date"], "expiry_date"));
  }
  BERTH_TRY(out.properties, strings(object.value("properties", json::object()), "properties"));
  const json templates = object.value("templates", json::object());
  if (!templates.is_object()) return wrong("templates", "must be a map");
  for (const auto& [target, entry] : templates.items()) {
    BERTH_TRY(ImageTemplate one, template_entry(target, entry));
    out.templates.push_back(std::move(one));
  }
  return out;
}

std::int64_t to_seconds(Timestamp time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

json metadata_to(const ImageMetadata& metadata) {
  json templates = json::object();
  for (const auto& one : metadata.templates)
    templates[one.target] = {
        {"when", one.when}, {"create_only", one.create_only}, {"template", one.source}, {"properties", one.properties}};
  json out{{"architecture", metadata.architecture},
           {"creation_date", to_seconds(metadata.created_at)},
           {"properties", metadata.properties},
           {"templates", templates}};
  if (metadata.expires_at != kNever) out["expiry_date"] = to_seconds(metadata.expires_at);
  return out;
}

}  // namespace

Result<UnpackAnswer> parse_unpack_answer(std::string_view text, bool with_metadata) {
  const json answer = json::parse(text, nullptr, false);
  if (!answer.is_object() || !answer.contains("plain") || !answer["plain"].is_boolean())
    return Error{Code::Internal, "the helper's answer is not understood"};
  UnpackAnswer out;
  out.needs_plain_root = answer["plain"].get<bool>();
  if (with_metadata) {
    BERTH_TRY(out.metadata, metadata_from(answer.value("metadata", json())));
  }
  return out;
}

std::string metadata_to_json(const ports::ImageMetadata& metadata) {
  return metadata_to(metadata).dump(2, ' ', true, json::error_handler_t::replace);
}

Result<ports::ImageMetadata> metadata_from_json(std::string_view text) {
  return metadata_from(json::parse(text, nullptr, false));
}

std::string record_to_json(const ImageRecord& record) {
  return json{{"size", record.size},
              {"split", record.split},
              {"plain", record.needs_plain_root},
              {"metadata", metadata_to(record.metadata)}}
      .dump(2, ' ', true, json::error_handler_t::replace);
}

Result<ImageRecord> record_from_json(std::string_view text) {
  const json object = json::parse(text, nullptr, false);
  const auto has = [&](const char* name, auto check) { return object.contains(name) && check(object[name]); };
  if (!object.is_object() || !has("size", [](const json& v) { return v.is_number_unsigned(); }) ||
      !has("split", [](const json& v) { return v.is_boolean(); }) ||
      !has("plain", [](const json& v) { return v.is_boolean(); }) || !object.contains("metadata"))
    return Error{Code::Internal, "meta.json is not understood"};
  ImageRecord out;
  out.size = object["size"].get<std::uint64_t>();
  out.split = object["split"].get<bool>();
  out.needs_plain_root = object["plain"].get<bool>();
  BERTH_TRY(out.metadata, metadata_from(object["metadata"]));
  return out;
}

}  // namespace berth::adapters
