#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "rest-bridge/api/call.hpp"
#include "rest-bridge/api/times.hpp"

namespace berth::rest {

/// From the daemon's rows to the API's objects, by rule: a number in a field that ends in `_at` is a time; fields of
/// the daemon's own book-keeping go. What does not follow the rule stands in the table of rows.cpp, by resource.
enum class Resource { Instance, InstanceSnapshot, Image, ImageAlias, Profile, Project, StoragePool, Operation, Server };

/// Whether the API's objects lack this field of the daemon's rows.
bool is_hidden(Resource resource, std::string_view field);
/// A time (microseconds since the epoch, 0 = unset) as the field shows it.
std::string time_text(Resource resource, std::string_view field, std::uint64_t microseconds);

/// Applies the rules of `resource` to `row`, and to the objects inside it.
Json to_api(Json row, Resource resource);

/// The URL of an object: `kind` in singular or plural, as the daemon says it ("instance", "images", "image-alias").
/// The project is appended when it is not `default`. `collection` replaces "instances" for clients of the old tree.
std::string url_of(std::string_view kind, std::string_view name, std::string_view project = {},
                   std::string_view collection = "instances");

/// `used_by` as URLs, from names or {kind, project, name} rows.
Json used_by_urls(const Json& used_by);

/// An operation's row as the API's object: resources as URLs, null where the API has null.
Json operation_to_api(Json row);

/// One event of the daemon's stream as the API's event object.
Json event_to_api(Json event);

}  // namespace berth::rest
