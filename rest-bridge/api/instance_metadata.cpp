#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "rest-bridge/api/common.hpp"

namespace berth::rest {
namespace {

constexpr std::uint64_t kMicroseconds = 1'000'000;

Json shown_metadata(const Json& row) {
  Json out{{"architecture", row.value("architecture", "")},
           {"creation_date", row.value("created_at", std::uint64_t{0}) / kMicroseconds},
           {"expiry_date", row.value("expires_at", std::uint64_t{0}) / kMicroseconds},
           {"properties", row.value("properties", Json::object())},
           {"templates", row.value("templates", Json::object())}};
  // As LXD shows a template that says nothing of them.
  for (auto& one : out["templates"])
    if (one.value("properties", Json()).empty()) one["properties"] = nullptr;
  return out;
}

/// A date of the API, seconds since the epoch, as the daemon takes it.
Result<std::uint64_t> date_field(const Json& body, const char* name) {
  BERTH_TRY(const auto seconds, number_field(body, name));
  constexpr std::int64_t kLatest = 253402300799;  // the end of the year 9999
  if (seconds < 0 || seconds > kLatest)
    return Error{Code::InvalidArgument, "the field \"" + std::string(name) + "\" of the request is out of range"};
  return static_cast<std::uint64_t>(seconds) * kMicroseconds;
}

Result<Options> templates_field(const Json& body) {
  Options out;
  if (!has_field(body, "templates")) return out;
  if (!body["templates"].is_object())
    return Error{Code::InvalidArgument, "the field \"templates\" of the request must be an object"};
  for (const auto& [target, entry] : body["templates"].items()) {
    if (!entry.is_object())
      return Error{Code::InvalidArgument, "the template of \"" + target + "\" in the request must be an object"};
    Options one;
    BERTH_TRY(auto when, strings_field(entry, "when"));
    BERTH_TRY(const auto create_only, bool_field(entry, "create_only"));
    BERTH_TRY(auto name, text_field(entry, "template"));
    BERTH_TRY(auto properties, map_field(entry, "properties"));
    one["when"] = std::move(when);
    one["create_only"] = create_only;
    one["template"] = std::move(name);
    one["properties"] = std::move(properties);
    out[target] = std::move(one);
  }
  return out;
}

Result<Options> metadata_of(const Json& body) {
  Options out;
  BERTH_TRY(auto architecture, text_field(body, "architecture"));
  BERTH_TRY(const auto created_at, date_field(body, "creation_date"));
  BERTH_TRY(const auto expires_at, date_field(body, "expiry_date"));
  BERTH_TRY(auto properties, map_field(body, "properties"));
  BERTH_TRY(auto templates, templates_field(body));
  out["architecture"] = std::move(architecture);
  out["created_at"] = created_at;
  out["expires_at"] = expires_at;
  out["properties"] = std::move(properties);
  out["templates"] = std::move(templates);
  return out;
}

Task<Result<Json>> current_metadata(Context& context) {
  BERTH_CO_TRY(Call call, instance_call(context, "GetMetadata", {}));
  BERTH_CO_TRY(Reply reply, co_await context.bus.call(std::move(call)));
  co_return shown_metadata(reply.values.at(0));
}

Answer get_metadata(Context& context) {
  BERTH_CO_TRY(Json metadata, co_await current_metadata(context));
  const auto etag = etag_of(metadata);
  co_return with_etag(sync_answer(metadata), etag);
}

Answer set_metadata(Context& context, Json body) {
  if (!context.request.headers.get("If-Match").empty()) {
    BERTH_CO_TRY(Json metadata, co_await current_metadata(context));
    BERTH_CO_CHECK(checked_revision(context, etag_of(metadata), metadata));
  }
  BERTH_CO_TRY(Options metadata, metadata_of(body));
  BERTH_CO_TRY(Call call, instance_call(context, "SetMetadata", {}));
  call.arguments.emplace_back(std::move(metadata));
  call.arguments.emplace_back(Options());
  co_return co_await run_sync(context, std::move(call));
}

Answer put_metadata(Context& context) {
  BERTH_CO_TRY(Json body, body_of(context));
  co_return co_await set_metadata(context, std::move(body));
}

/// Fields that are there replace what was; of properties and templates, those that are there.
Answer patch_metadata(Context& context) {
  BERTH_CO_TRY(Json body, body_of(context));
  BERTH_CO_TRY(Json metadata, co_await current_metadata(context));
  for (const auto* const field : {"architecture", "creation_date", "expiry_date", "properties", "templates"})
    if (has_field(body, field)) {
      if (metadata[field].is_object() && body[field].is_object())
        metadata[field].update(body[field]);
      else
        metadata[field] = body[field];
    }
  co_return co_await set_metadata(context, std::move(metadata));
}

Answer get_templates(Context& context) {
  const std::string name(context.query.get("path"));
  if (name.empty()) {
    BERTH_CO_TRY(Call call, instance_call(context, "ListTemplates", {}));
    BERTH_CO_TRY(Reply reply, co_await context.bus.call(std::move(call)));
    co_return sync_answer(reply.values.at(0));
  }
  BERTH_CO_TRY(Call call, instance_call(context, "OpenTemplate", {}));
  call.arguments.emplace_back(name);
  call.arguments.emplace_back(Options());
  BERTH_CO_TRY(Reply reply, co_await context.bus.call(std::move(call)));
  auto response = raw_answer(reply.take_fd(0), "application/octet-stream");
  response.headers.add("Content-Disposition", "inline;filename=" + name);
  co_return response;
}

/// Makes a template, or replaces it: LXD 5.0.2 has no other way to change one.
Answer write_template(Context& context) {
  std::string name(context.query.get("path"));
  if (name.empty()) co_return Error{Code::InvalidArgument, "missing path argument"};
  const auto text = context.request.text();
  const UniqueFd content(memfd_create("berth-template", MFD_CLOEXEC));
  if (!content || write(content.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      lseek(content.get(), 0, SEEK_SET) != 0)
    co_return system_error("cannot keep the request's body", errno);
  BERTH_CO_TRY(Call call, instance_call(context, "WriteTemplate", {}));
  call.arguments.emplace_back(std::move(name));
  call.arguments.emplace_back(Handle{content.get()});
  call.arguments.emplace_back(Options());
  co_return co_await run_sync(context, std::move(call));
}

Answer remove_template(Context& context) {
  std::string name(context.query.get("path"));
  if (name.empty()) co_return Error{Code::InvalidArgument, "missing path argument"};
  BERTH_CO_TRY(Call call, instance_call(context, "RemoveTemplate", {}));
  call.arguments.emplace_back(std::move(name));
  call.arguments.emplace_back(Options());
  co_return co_await run_sync(context, std::move(call));
}

constexpr Route kRoutes[] = {
    {"GET", "/1.0/instances/{name}/metadata", "Instance.GetMetadata", "view", get_metadata},
    {"PUT", "/1.0/instances/{name}/metadata", "Instance.SetMetadata", "manage-instances", put_metadata},
    {"PATCH", "/1.0/instances/{name}/metadata", "Instance.SetMetadata", "manage-instances", patch_metadata},
    {"GET", "/1.0/instances/{name}/metadata/templates", "Instance.ListTemplates, OpenTemplate", "view", get_templates},
    {"POST", "/1.0/instances/{name}/metadata/templates", "Instance.WriteTemplate", "manage-instances", write_template},
    {"PUT", "/1.0/instances/{name}/metadata/templates", "Instance.WriteTemplate", "manage-instances", write_template},
    {"DELETE", "/1.0/instances/{name}/metadata/templates", "Instance.RemoveTemplate", "manage-instances", remove_template},
};

}  // namespace

std::span<const Route> instance_metadata_routes() { return kRoutes; }

}  // namespace berth::rest
