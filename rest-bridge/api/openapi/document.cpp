#include "rest-bridge/api/openapi/document.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "rest-bridge/api/openapi/notation.hpp"
#include "rest-bridge/api/openapi/tables.hpp"
#include "rest-bridge/api/router.hpp"

namespace berth::rest {
namespace {

using openapi::Description;
using openapi::schema_of;

constexpr const char* kAbout =
    "The API of LXD 5.0 over D-Bus. What stands under `/1.0/instances` is served under `/1.0/containers`, too. `x-berth-call` is the "
    "D-Bus call behind a request, and `x-berth-action` the polkit action (org.berth.Berth1.*) that its client needs. Clients "
    "are known by their process on the unix socket, and by their certificate over HTTPS. A member of a request that is null is "
    "as if it were not there.";

Json reference(std::string_view kind, std::string_view name) {
  return Json{{"$ref", "#/components/" + std::string(kind) + '/' + std::string(name)}};
}

/// The parts of `text` between `separator`s.
std::vector<std::string_view> parts_of(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + separator.size());
  }
  return parts;
}

Json bytes() { return Json{{"schema", {{"type", "string"}, {"format", "binary"}}}}; }

/// The media type and its content, for what is no JSON.
void add_raw(Json& content, std::string_view kind) {
  if (kind == "octets") content["application/octet-stream"] = bytes();
  if (kind == "multipart")
    content["multipart/form-data"] = Json{
        {"schema", {{"type", "object"}, {"properties", {{"metadata", bytes()["schema"]}, {"rootfs", bytes()["schema"]}}}}}};
}

Json request_body(std::string_view kinds) {
  Json content;
  for (const auto kind : parts_of(kinds, "; ")) {
    if (kind == "octets" || kind == "multipart")
      add_raw(content, kind);
    else
      content["application/json"] = Json{{"schema", schema_of(kind)}};
  }
  return Json{{"content", std::move(content)}};
}

Json header(const char* meaning) { return Json{{"description", meaning}, {"schema", schema_of("text")}}; }

/// A sync answer whose metadata is of that type.
Json sync_content(std::string_view type) {
  Json own{{"type", "object"}, {"required", {"metadata"}}, {"properties", {{"metadata", schema_of(type)}}}};
  return Json{{"schema", {{"allOf", Json::array({reference("schemas", "Envelope"), std::move(own)})}}}};
}

/// Adds one way to answer to those of an operation, by status.
void add_answer(Json& answers, std::string_view answer) {
  const auto space = std::min(answer.find(' '), answer.size());
  const auto kind = answer.substr(0, space);
  const auto type = answer.substr(std::min(space + 1, answer.size()));
  if (kind == "created" || kind == "async" || kind == "empty") {
    const char* status = kind == "created" ? "201" : kind == "async" ? "202" : "200";
    answers[status] = reference("responses", kind);
    return;
  }
  if (kind == "websocket") {
    answers["101"] = Json{{"description", type.empty() ? "A websocket of bytes" : "A websocket whose text frames are `x-berth-frames`"}};
    if (!type.empty()) answers["101"]["x-berth-frames"] = schema_of(type);
    return;
  }
  if (kind == "sftp") {
    answers["101"] = Json{{"description", "SFTP of version 3 with `Upgrade: sftp`"}};
    return;
  }
  auto& response = answers["200"];
  if (response.is_null()) response = Json{{"description", "Success"}};
  if (kind == "head") return;
  auto& content = response["content"];
  add_raw(content, kind);
  if (kind == "json") content["application/json"] = Json{{"schema", schema_of("object")}};
  if (kind == "sync" || kind == "tagged") content["application/json"] = sync_content(type);
  if (kind == "tagged") response["headers"]["ETag"] = header("For If-Match");
}

/// `{alias...}` takes slashes as well, which a path of OpenAPI cannot say.
std::string path_of(std::string_view pattern) {
  std::string path(pattern);
  if (const auto dots = path.find("...}"); dots != std::string::npos) path.erase(dots, 3);
  return path;
}

Json path_parameters(const std::string& path) {
  auto list = Json::array();
  for (std::size_t at = path.find('{'); at != std::string::npos; at = path.find('{', at + 1))
    list.push_back({{"name", path.substr(at + 1, path.find('}', at) - at - 1)},
                    {"in", "path"},
                    {"required", true},
                    {"schema", schema_of("text")}});
  return list;
}

std::string operation_id(std::string_view method, const std::string& path) {
  std::string id;
  for (const char c : method) id += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  bool gap = true;
  for (const char c : path.starts_with("/1.0/") ? path.substr(5) : path.substr(1)) {
    const bool word = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (word && gap) id += '_';
    gap = !word;
    if (word) id += c;
  }
  return id;
}

std::string tag_of(const std::string& path) {
  if (!path.starts_with("/1.0/")) return "server";
  const auto word = path.substr(5, path.find('/', 5) - 5);
  return word == "openapi.json" ? "server" : word;
}

Json operation_of(const Route& route, const Description& description) {
  const auto path = path_of(route.pattern);
  Json operation{{"operationId", operation_id(route.method, path)},
                 {"summary", std::string(description.summary)},
                 {"tags", {tag_of(path)}},
                 {"x-berth-call", std::string(route.call)},
                 {"x-berth-action", std::string(route.action)}};
  auto parameters = path_parameters(path);
  for (const auto name : parts_of(description.parameters, " ")) parameters.push_back(reference("parameters", name));
  if (!parameters.empty()) operation["parameters"] = std::move(parameters);
  if (!description.request.empty()) operation["requestBody"] = request_body(description.request);
  auto& answers = operation["responses"];
  for (const auto answer : parts_of(description.answer, "; ")) add_answer(answers, answer);
  answers["default"] = reference("responses", "error");
  return operation;
}

Json components() {
  Json parts;
  for (const auto& parameter : openapi::parameter_table())
    parts["parameters"][std::string(parameter.name)] = Json{{"name", std::string(parameter.name)},
                                                            {"in", std::string(parameter.in)},
                                                            {"description", std::string(parameter.meaning)},
                                                            {"schema", schema_of(parameter.type)}};
  const auto answer = [&parts](const char* name, const char* meaning, Json content) -> Json& {
    return parts["responses"][name] = Json{{"description", meaning}, {"content", {{"application/json", std::move(content)}}}};
  };
  answer("empty", "Done", sync_content("object"));
  answer("created", "Made", sync_content("object?"))["headers"]["Location"] = header("The URL of what was made");
  answer("async", "Begun", {{"schema", schema_of("AsyncAnswer")}})["headers"]["Location"] = header("The URL of the operation");
  answer("error", "Refused", {{"schema", schema_of("ErrorAnswer")}});
  parts["schemas"] = openapi::object_schemas();
  return parts;
}

}  // namespace

Json openapi_document() {
  auto paths = Json::object();
  const auto descriptions = openapi::description_table();
  for (const auto& route : all_routes()) {
    const auto found = std::find_if(descriptions.begin(), descriptions.end(), [&](const auto& row) {
      return route.handler && row.method == route.method && row.pattern == route.pattern;
    });
    if (found == descriptions.end()) continue;
    const auto id = operation_id(route.method, "/");
    paths[path_of(route.pattern)][id] = operation_of(route, *found);
  }
  return Json{{"openapi", "3.0.3"},
              {"info", {{"title", "Berth"}, {"version", "1.0"}, {"description", kAbout}, {"license", {{"name", "Apache-2.0"}}}}},
              {"servers", Json::array({{{"url", "/"}}})},
              {"paths", std::move(paths)},
              {"components", components()}};
}

}  // namespace berth::rest
