#include <utility>

#include "rest-bridge/api/common.hpp"
#include "rest-bridge/api/images.hpp"
#include "rest-bridge/api/instance_rows.hpp"
#include "rest-bridge/api/instance_types.hpp"
#include "rest-bridge/api/rows.hpp"

namespace berth::rest {
namespace {

Call describe_call(Options options, std::string project) {
  Call call = manager_call("DescribeInstances", {});
  call.arguments.emplace_back(std::move(project));
  call.arguments.emplace_back(std::move(options));
  return call;
}

/// The route's instance.
Task<Result<ShownInstance>> describe_one(Context& context, bool full) {
  if (!InstanceName::parse(context.parameter("name"))) co_return Error{Code::NotFound, "Instance not found"};
  Options options;
  options["names"] = Strings(1, context.parameter("name"));
  options["detail"] = full ? "full" : "config";
  BERTH_CO_TRY(std::string rows, co_await context.bus.describe_text(describe_call(std::move(options), context.one_project())));
  BERTH_CO_TRY(auto shown, shown_only_instance(std::move(rows), full));
  if (!shown) co_return Error{Code::NotFound, "Instance not found"};
  co_return *std::move(shown);
}

std::string listed_url(const Context& context, const std::string& name, const std::string& project) {
  return url_of("instances", name, project, context.collection);
}

/// A list that asks for something in its rows.
Answer list_some(Context& context, std::string_view type, int recursion) {
  Options options;
  options["detail"] = recursion >= 2 ? "full" : "config";
  BERTH_CO_TRY(Json rows, co_await context.bus.describe(describe_call(std::move(options), context.project)));
  auto objects = Json::array();
  for (auto& row : rows)
    if (type.empty() || row.value("type", "container") == type) objects.push_back(shown_instance(std::move(row), recursion >= 2));
  BERTH_CO_TRY(Json kept, filtered(context, std::move(objects)));
  if (recursion >= 1) co_return sync_answer(kept);
  auto urls = Json::array();
  for (const auto& object : kept) urls.push_back(listed_url(context, object.value("name", ""), object.value("project", "")));
  co_return sync_answer(urls);
}

Answer list_urls(Context& context) {
  Call call = manager_call("ListInstances", {});
  call.arguments.emplace_back(context.project);
  call.arguments.emplace_back(Options());
  BERTH_CO_TRY(Reply reply, co_await context.bus.call(std::move(call)));
  auto urls = Json::array();
  for (const auto& row : reply.values.at(0))
    urls.push_back(listed_url(context, row.at(2).get<std::string>(), row.at(1).get<std::string>()));
  co_return sync_answer(urls);
}

Answer list_instances(Context& context) {
  const int recursion = context.recursion();
  const auto type = context.query.get("instance-type");
  if (!type.empty() && type != "container" && type != "virtual-machine")
    co_return Error{Code::InvalidArgument, "Invalid instance type \"" + std::string(type) + "\""};
  if (!type.empty() || !context.query.get("filter").empty()) co_return co_await list_some(context, type, recursion);
  if (recursion == 0) co_return co_await list_urls(context);
  const bool full = recursion >= 2;
  Options options;
  options["detail"] = full ? "full" : "config";
  BERTH_CO_TRY(const std::string rows, co_await context.bus.describe_text(describe_call(std::move(options), context.project)));
  BERTH_CO_TRY(const std::string shown, shown_instances(rows, full));
  co_return sync_text_answer(shown);
}

Answer get_instance(Context& context) {
  BERTH_CO_TRY(const ShownInstance shown, co_await describe_one(context, context.recursion() >= 1));
  co_return with_etag(sync_text_answer(shown.text), shown.etag);
}

/// A source of type copy: `web` or `web/snap0`.
Result<Options> copy_source(const Json& source, const std::string& project) {
  BERTH_TRY(const auto from, text_field(source, "source"));
  if (from.empty()) return Error{Code::InvalidArgument, "Must specify a source instance"};
  BERTH_TRY(const auto from_project, text_field(source, "project"));
  const auto slash = from.find('/');
  const auto instance = from.substr(0, slash);
  const auto& its_project = from_project.empty() ? project : from_project;
  if (!InstanceName::parse(instance) || !ProjectName::parse(its_project))
    return Error{Code::NotFound, "Failed to fetch instance \"" + instance + "\" in project \"" + its_project + "\": Instance not found"};
  Options options;
  options["project"] = its_project;
  options["type"] = "copy";
  options["instance"] = instance;
  if (slash != std::string::npos) options["snapshot"] = from.substr(slash + 1);
  BERTH_TRY(const bool instance_only, bool_field(source, "instance_only"));
  BERTH_TRY(const bool container_only, bool_field(source, "container_only"));
  if (instance_only || container_only) options["instance-only"] = true;
  BERTH_TRY(const bool refresh, bool_field(source, "refresh"));
  if (refresh) options["refresh"] = true;
  return options;
}

/// The `source` of a new instance, as the daemon takes it.
Result<Options> source_of(const Json& body, const std::string& project) {
  const auto source = has_field(body, "source") ? body.at("source") : Json(Json::object());
  if (!source.is_object()) return Error{Code::InvalidArgument, "the field \"source\" of the request must be an object"};
  BERTH_TRY(const auto type, text_field(source, "type"));
  Options options;
  options["type"] = type;
  if (type == "none") return options;
  if (type == "copy") return copy_source(source, project);
  if (type == "migration") return Error{Code::NotSupported, "migrating instances from another server is not supported: copy them, or import a backup"};
  if (type == "backup") return Error{Code::NotSupported, "a backup is restored by sending it as the body of the request"};
  if (type != "image") return Error{Code::InvalidArgument, "Unknown source type " + type};
  BERTH_TRY(const auto server, text_field(source, "server"));
  if (!server.empty()) {
    BERTH_TRY(auto from, server_source(source));
    options.merge(from);
  }
  for (const auto* by : {"fingerprint", "alias"}) {
    BERTH_TRY(auto value, text_field(source, by));
    if (value.empty()) continue;
    options[by] = std::move(value);
    return options;
  }
  BERTH_TRY(auto properties, map_field(source, "properties"));
  if (properties.empty())
    return Error{Code::InvalidArgument, "Must specify one of alias, fingerprint or properties for init from image"};
  options["properties"] = std::move(properties);
  return options;
}

/// A backup that is sent: what it is comes with it.
Answer import_instance(Context& context) {
  Options options;
  for (const auto* const name : {"name", "pool"})
    if (const auto text = context.request.headers.get(std::string("X-LXD-") + name); !text.empty())
      options[name] = std::string(text);
  auto& upload = std::get<Upload>(context.request.body);
  Call call = manager_call("ImportInstance", {});
  call.arguments.emplace_back(context.one_project());
  call.arguments.emplace_back(Handle{upload.file.get()});
  call.arguments.emplace_back(std::move(options));
  auto made = co_await context.bus.call(std::move(call));
  // The daemon has its own descriptor now. Ours must go, or whoever writes would never learn that nobody reads.
  context.request.body = std::string();
  if (!made) co_return std::move(made).error();
  co_return co_await accepted(context, made->text(0));
}

Answer create_instance(Context& context) {
  if (std::holds_alternative<Upload>(context.request.body)) co_return co_await import_instance(context);
  BERTH_CO_TRY(Json body, body_of(context));
  BERTH_CO_TRY(std::string name, text_field(body, "name"));
  BERTH_CO_TRY(std::string type, text_field(body, "type"));
  if (type == "virtual-machine") co_return Error{Code::NotSupported, "Berth runs containers, no virtual machines"};
  if (!type.empty() && type != "container") co_return Error{Code::InvalidArgument, "Invalid instance type \"" + type + "\""};
  BERTH_CO_TRY(std::string instance_type, text_field(body, "instance_type"));
  if (!instance_type.empty()) {
    BERTH_CO_TRY(const StringMap limits, limits_of_type(instance_type));
    auto& config = body["config"];
    if (config.is_null() || config.is_object())
      for (const auto& [key, value] : limits) config.emplace(key, value);  // what the request says itself wins
  }
  BERTH_CO_TRY(bool stateful, bool_field(body, "stateful"));
  if (stateful) co_return Error{Code::NotSupported, "stateful instances are not supported"};
  BERTH_CO_TRY(Options source, source_of(body, context.one_project()));
  BERTH_CO_TRY(Options options, common_changes(body, true));
  options["source"] = std::move(source);
  BERTH_CO_TRY(std::string architecture, text_field(body, "architecture"));
  if (!architecture.empty()) options["architecture"] = std::move(architecture);
  if (has_field(body, "profiles")) {
    BERTH_CO_TRY(Strings profiles, strings_field(body, "profiles"));
    options["profiles"] = std::move(profiles);
  }
  BERTH_CO_TRY(bool ephemeral, bool_field(body, "ephemeral"));
  options["ephemeral"] = ephemeral;
  BERTH_CO_TRY(bool start, bool_field(body, "start"));
  if (start) options["start"] = true;
  Call call = manager_call("CreateInstance", {});
  call.arguments.emplace_back(context.one_project());
  call.arguments.emplace_back(std::move(name));
  call.arguments.emplace_back(std::move(options));
  co_return co_await run_operation(context, std::move(call));
}

/// A PUT with `restore`: the short name of a snapshot, or `web/snap0`.
Task<Result<Call>> restore_call(Context& context, const Json& body) {
  BERTH_CO_TRY(std::string name, text_field(body, "restore"));
  BERTH_CO_TRY(bool stateful, bool_field(body, "stateful"));
  if (stateful) co_return Error{Code::NotSupported, "stateful snapshots are not supported"};
  const auto slash = name.rfind('/');
  if (slash != std::string::npos) name = name.substr(slash + 1);
  BERTH_CO_TRY(Call call, instance_call(context, "RestoreSnapshot", {}));
  call.arguments.emplace_back(std::move(name));
  call.arguments.emplace_back(Options());
  co_return call;
}

/// The Update call of a PUT (whole) or PATCH.
Task<Result<Call>> update_call(Context& context, bool whole) {
  BERTH_CO_TRY(Json body, body_of(context));
  if (whole && has_field(body, "restore") && body.at("restore") != "") co_return co_await restore_call(context, body);
  BERTH_CO_TRY(Options changes, common_changes(body, whole));
  if (has_field(body, "architecture")) {
    BERTH_CO_TRY(std::string architecture, text_field(body, "architecture"));
    if (!architecture.empty()) changes["architecture"] = std::move(architecture);
  }
  if (whole || has_field(body, "ephemeral")) {
    BERTH_CO_TRY(bool ephemeral, bool_field(body, "ephemeral"));
    changes["ephemeral"] = ephemeral;
  }
  if (whole || has_field(body, "profiles")) {
    BERTH_CO_TRY(Strings profiles, strings_field(body, "profiles"));
    changes["profiles"] = std::move(profiles);
  }
  Options options;
  options["replace"] = whole;
  if (!context.request.headers.get("If-Match").empty()) {
    BERTH_CO_TRY(const ShownInstance shown, co_await describe_one(context, false));
    BERTH_CO_CHECK(check_tag(context, shown.etag));
    options["if-revision"] = shown.revision;
  }
  BERTH_CO_TRY(Call call, instance_call(context, "Update", {}));
  call.arguments.emplace_back(std::move(changes));
  call.arguments.emplace_back(std::move(options));
  co_return call;
}

Answer put_instance(Context& context) {
  BERTH_CO_TRY(Call call, co_await update_call(context, true));
  co_return co_await run_operation(context, std::move(call));
}

Answer patch_instance(Context& context) {
  BERTH_CO_TRY(Call call, co_await update_call(context, false));
  co_return co_await run_to_the_end(context, std::move(call));
}

/// A `migration` within this server: to another project.
Answer move_instance(Context& context, Json body, std::string name) {
  BERTH_CO_TRY(std::string project, text_field(body, "project"));
  BERTH_CO_TRY(std::string pool, text_field(body, "pool"));
  BERTH_CO_TRY(bool instance_only, bool_field(body, "instance_only"));
  BERTH_CO_TRY(bool container_only, bool_field(body, "container_only"));
  if (!pool.empty()) co_return Error{Code::NotSupported, "moving instances to another storage pool is not supported"};
  if (project.empty()) co_return Error{Code::NotSupported, "migrating instances to another server is not supported: copy them, or export a backup"};
  if (instance_only || container_only)
    co_return Error{Code::NotSupported, "moving an instance without its snapshots is not supported: delete them first"};
  BERTH_CO_TRY(Call call, instance_call(context, "Move", {}));
  call.arguments.emplace_back(std::move(project));
  call.arguments.emplace_back(name.empty() ? context.parameter("name") : std::move(name));
  call.arguments.emplace_back(Options());
  co_return co_await run_operation(context, std::move(call));
}

Answer rename_instance(Context& context) {
  BERTH_CO_TRY(Json body, body_of(context));
  BERTH_CO_TRY(bool migration, bool_field(body, "migration"));
  BERTH_CO_TRY(std::string name, text_field(body, "name"));
  if (migration) co_return co_await move_instance(context, std::move(body), std::move(name));
  BERTH_CO_TRY(Call call, instance_call(context, "Rename", {}));
  call.arguments.emplace_back(std::move(name));
  call.arguments.emplace_back(Options());
  co_return co_await run_operation(context, std::move(call));
}

Answer delete_instance(Context& context) {
  BERTH_CO_TRY(Call call, instance_call(context, "Delete", {}));
  call.arguments.emplace_back(Options());
  co_return co_await run_operation(context, std::move(call));
}

constexpr Route kRoutes[] = {
    {"GET", "/1.0/instances", "Manager.DescribeInstances", "view", list_instances},
    {"POST", "/1.0/instances", "Manager.CreateInstance", "manage-instances", create_instance},
    {"GET", "/1.0/instances/{name}", "Manager.DescribeInstances", "view", get_instance},
    {"PUT", "/1.0/instances/{name}", "Instance.Update", "manage-instances", put_instance},
    {"PATCH", "/1.0/instances/{name}", "Instance.Update", "manage-instances", patch_instance},
    {"POST", "/1.0/instances/{name}", "Instance.Rename, Move", "manage-instances", rename_instance},
    {"DELETE", "/1.0/instances/{name}", "Instance.Delete", "manage-instances", delete_instance},
};

}  // namespace

std::span<const Route> instance_routes() { return kRoutes; }

}  // namespace berth::rest
