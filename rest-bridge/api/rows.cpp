#include "rest-bridge/api/rows.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "rest-bridge/api/url.hpp"

namespace berth::rest {
namespace {

/// Times whose unset form is unix 0; every other unset time is the zero time.
struct TimeException {
  Resource resource;
  std::string_view field;
};
constexpr std::array kUnixZero{
    TimeException{Resource::Instance, "last_used_at"},
    TimeException{Resource::Instance, "created_at"},
    TimeException{Resource::Image, "expires_at"},
    TimeException{Resource::Image, "created_at"},
};

/// Fields of a row that the API does not have.
struct HiddenField {
  Resource resource;
  std::string_view field;
};
constexpr std::array kHidden{
    HiddenField{Resource::Instance, "pool"},        HiddenField{Resource::Instance, "uuid"},
    HiddenField{Resource::Instance, "owner_uid"},   HiddenField{Resource::Image, "project"},
    HiddenField{Resource::Image, "uuid"},           HiddenField{Resource::Image, "owner_uid"},
    HiddenField{Resource::ImageAlias, "project"},   HiddenField{Resource::Profile, "project"},
    HiddenField{Resource::Profile, "uuid"},         HiddenField{Resource::Profile, "owner_uid"},
    HiddenField{Resource::Image, "split"},          HiddenField{Resource::Image, "location"},
    HiddenField{Resource::Profile, "created_at"},   HiddenField{Resource::StoragePool, "created_at"},
    HiddenField{Resource::StoragePool, "uuid"},     HiddenField{Resource::Operation, "error_code"},
    HiddenField{Resource::InstanceSnapshot, "uuid"}, HiddenField{Resource::Project, "created_at"},
    HiddenField{Resource::Operation, "project"},    HiddenField{Resource::Operation, "owner_uid"},
};

struct Collection {
  std::string_view singular;
  std::string_view url;
};
constexpr std::array kCollections{
    Collection{"instance", "instances"},         Collection{"image", "images"},
    Collection{"image-alias", "images/aliases"}, Collection{"alias", "images/aliases"},
    Collection{"profile", "profiles"},           Collection{"storage-pool", "storage-pools"},
    Collection{"storage_pool", "storage-pools"}, Collection{"operation", "operations"},
    Collection{"project", "projects"},           Collection{"server", ""},
    Collection{"certificate", "certificates"},
};

Unset unset_form(Resource resource, std::string_view field) {
  const bool unix_zero = std::any_of(kUnixZero.begin(), kUnixZero.end(), [&](const auto& exception) {
    return exception.resource == resource && exception.field == field;
  });
  return unix_zero ? Unset::UnixZero : Unset::YearOne;
}

bool is_time(std::string_view field, const Json& value) { return field.ends_with("_at") && value.is_number_integer(); }

void rewrite_times(Json& value, Resource resource) {
  if (value.is_array()) {
    for (auto& element : value) rewrite_times(element, resource);
  } else if (value.is_object()) {
    for (auto& [field, inner] : value.items()) {
      if (is_time(field, inner))
        inner = time_text(resource, field,
                          inner.is_number_unsigned() || inner.get<std::int64_t>() > 0 ? inner.get<std::uint64_t>() : 0);
      else
        rewrite_times(inner, resource);
    }
  }
}

Json empty_as_null(const Json& object, std::string_view field) {
  const auto found = object.find(field);
  return found == object.end() || found->empty() ? Json() : *found;
}

std::string text_of(const Json& object, std::string_view field) {
  const auto found = object.find(field);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// Changes of state name their instance once; everything else names it in the old collection, too.
bool is_state_change(std::string_view description) {
  for (const auto* verb : {"Starting", "Stopping", "Restarting", "Freezing", "Unfreezing"})
    if (description.starts_with(verb)) return true;
  return false;
}

/// A status as the API words it, from its code.
std::string_view status_word(std::int64_t code) {
  switch (code) {
    case 100: return "Operation created";
    case 101: return "Started";
    case 103: return "Running";
    case 104: return "Cancelling";
    case 105: return "Pending";
    case 106: return "Starting";
    case 107: return "Stopping";
    case 108: return "Aborting";
    case 200: return "Success";
    case 400: return "Failure";
    case 401: return "Cancelled";
    default: return "Error";
  }
}

/// What LXD 5.0.2 words otherwise in its `environment`, or has of its own.
void as_environment(Json& environment) {
  if (const auto drivers = environment.find("storage_supported_drivers"); drivers != environment.end())
    for (auto& driver : *drivers)
      driver = Json{{"Name", driver.value("name", "")}, {"Version", driver.value("version", "")}, {"Remote", driver.value("remote", false)}};
  if (!environment.contains("addresses")) environment["addresses"] = Json::array();
  environment["server_event_mode"] = "full-mesh";  // there is one member, and it hears everything
}

}  // namespace

bool is_hidden(Resource resource, std::string_view field) {
  return field == "revision" || std::any_of(kHidden.begin(), kHidden.end(), [&](const auto& hidden) {
           return hidden.resource == resource && hidden.field == field;
         });
}

std::string time_text(Resource resource, std::string_view field, std::uint64_t microseconds) {
  return rfc3339(microseconds, unset_form(resource, field));
}

Json to_api(Json row, Resource resource) {
  if (!row.is_object()) return row;
  row.erase("revision");
  if (resource == Resource::Server) as_environment(row);
  for (const auto& hidden : kHidden)
    if (hidden.resource == resource) row.erase(std::string(hidden.field));
  rewrite_times(row, resource);
  return row;
}

std::string url_of(std::string_view kind, std::string_view name, std::string_view project, std::string_view collection) {
  std::string_view plural = kind;
  for (const auto& known : kCollections)
    if (known.singular == kind) plural = known.url;
  if (kind == "instance-snapshot") {  // "web/snap0"
    const auto slash = name.find('/');
    auto url = url_of("instances", name.substr(0, slash), {}, collection) + "/snapshots/";
    if (slash != std::string_view::npos) url.append(percent_encode(name.substr(slash + 1)));
    if (!project.empty() && project != "default") url.append("?project=").append(percent_encode(project));
    return url;
  }
  if (plural == "instances") plural = collection;
  // A project stands in none.
  if (plural == "projects") project = {};
  std::string url = "/1.0";
  if (!plural.empty()) url.append("/").append(plural).append("/").append(percent_encode(name));
  if (!project.empty() && project != "default") url.append("?project=").append(percent_encode(project));
  return url;
}

Json used_by_urls(const Json& used_by) {
  auto urls = Json::array();
  if (!used_by.is_array()) return urls;
  for (const auto& user : used_by) {
    if (user.is_string())
      urls.push_back(url_of("instances", user.get<std::string>()));
    else if (user.is_object())
      urls.push_back(url_of(text_of(user, "kind"), text_of(user, "name"), text_of(user, "project")));
  }
  return urls;
}

Json operation_to_api(Json row) {
  if (!row.is_object()) return row;
  const auto description = text_of(row, "description");
  auto resources = Json::object();
  if (const auto named = row.find("resources"); named != row.end() && named->is_object()) {
    for (const auto& [kind, names] : named->items()) {
      if (!names.is_array()) continue;
      for (const auto& name : names) {
        if (!name.is_string()) continue;
        const auto text = name.get<std::string>();
        // Clients take what follows the last slash for the name, so there is no project behind it.
        resources[kind].push_back(url_of(kind, text));
        if (kind == "instances" && !is_state_change(description))
          resources["containers"].push_back(url_of(kind, text, {}, "containers"));
      }
    }
  }
  row["resources"] = resources.empty() ? Json() : std::move(resources);
  row["metadata"] = empty_as_null(row, "metadata");
  // The one time of the API whose name is spelled so.
  if (auto& metadata = row["metadata"]; metadata.is_object() && metadata.contains("expires_at") && metadata["expires_at"].is_number_unsigned()) {
    metadata["expiresAt"] = time_text(Resource::Operation, "expires_at", metadata["expires_at"].get<std::uint64_t>());
    metadata.erase("expires_at");
  }
  // The names of recorded output are logs of the instance.
  if (row["metadata"].is_object() && row["metadata"].contains("output") && row["metadata"]["output"].is_object() &&
      row["resources"].is_object() && row["resources"].contains("instances")) {
    const auto instance = row["resources"]["instances"].at(0).get<std::string>();
    const auto base = instance.substr(0, instance.find('?')) + "/logs/";
    for (auto& [stream, log] : row["metadata"]["output"].items())
      if (log.is_string() && !log.get_ref<const std::string&>().starts_with('/'))
        log = base + percent_encode(log.get<std::string>());
  }
  if (const auto code = row.find("status_code"); code != row.end() && code->is_number_integer())
    row["status"] = status_word(code->get<std::int64_t>());
  if (text_of(row, "location").empty()) row["location"] = "none";
  for (const auto* text : {"err", "description"})
    if (!row.contains(text)) row[text] = "";
  if (!row.contains("may_cancel")) row["may_cancel"] = false;
  return to_api(std::move(row), Resource::Operation);
}

Json event_to_api(Json event) {
  auto result = Json::object();
  const auto type = text_of(event, "type");
  const auto project = text_of(event, "project");
  result["type"] = type;
  const auto at = event.find("timestamp");
  result["timestamp"] = rfc3339(at != event.end() && at->is_number_unsigned() ? at->get<std::uint64_t>() : 0);
  const auto location = text_of(event, "location");
  result["location"] = location.empty() ? "none" : location;
  if (!project.empty()) result["project"] = project;
  auto metadata = event.contains("metadata") ? std::move(event["metadata"]) : Json(Json::object());
  if (type == "operation") {
    if (metadata.is_object() && !metadata.contains("project")) metadata["project"] = project;
    metadata = operation_to_api(std::move(metadata));
  } else if (type == "lifecycle") {
    auto lifecycle = Json::object();
    lifecycle["action"] = text_of(metadata, "action");
    const auto& about = metadata.contains("source") && metadata["source"].is_object() ? metadata["source"] : metadata;
    const auto source = text_of(metadata, "source");
    lifecycle["source"] = source.empty() ? url_of(text_of(about, "kind"), text_of(about, "name"), project) : source;
    for (const auto* part : {"context", "requestor"})
      if (const auto value = empty_as_null(metadata, part); !value.is_null()) lifecycle[part] = value;
    if (lifecycle.contains("requestor") && !lifecycle["requestor"].contains("address"))
      lifecycle["requestor"]["address"] = "@";
    metadata = std::move(lifecycle);
  }
  result["metadata"] = std::move(metadata);
  return result;
}

}  // namespace berth::rest
