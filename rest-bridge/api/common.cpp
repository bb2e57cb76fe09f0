#include "rest-bridge/api/common.hpp"

#include <utility>

#include "base/object_path.hpp"
#include "rest-bridge/api/filter.hpp"
#include "rest-bridge/api/rows.hpp"

namespace berth::rest {

Result<Json> body_of(const Context& context) {
  if (!std::holds_alternative<std::string>(context.request.body))
    return Error{Code::InvalidArgument, "this request takes JSON, not an upload"};
  return parse_object(context.request.text());
}

Call manager_call(std::string member, std::vector<Argument> arguments) {
  return Call{.path = std::string(kRootPath), .interface = "Manager", .member = std::move(member), .arguments = std::move(arguments)};
}

Result<Call> instance_call(const Context& context, std::string member, std::vector<Argument> arguments) {
  const auto project = ProjectName::parse(context.one_project());
  const auto name = InstanceName::parse(context.parameter("name"));
  if (!project || !name) return Error{Code::NotFound, "Instance not found"};
  return Call{.path = instance_path(*project, *name),
              .interface = "Instance",
              .member = std::move(member),
              .arguments = std::move(arguments)};
}

Result<std::string> operation_id_of(const std::string& path) {
  const auto slash = path.rfind('/');
  auto id = decode_path_element(std::string_view(path).substr(slash == std::string::npos ? 0 : slash + 1));
  if (!id) return Error{Code::Internal, "the daemon named an operation that is none: " + path};
  return id;
}

Task<Result<Json>> operation_row(Context& context, std::string id) {
  if (const auto* local = context.sessions.local(id, context.owner)) co_return Json(local->row);
  if (!OperationId::parse(id)) co_return Error{Code::NotFound, "Operation not found"};
  Options options;
  options["ids"] = Strings(1, std::move(id));
  Call call = manager_call("DescribeOperations", {});
  call.arguments.emplace_back(std::string());
  call.arguments.emplace_back(std::move(options));
  BERTH_CO_TRY(Json rows, co_await context.bus.describe(std::move(call)));
  if (rows.empty()) co_return Error{Code::NotFound, "Operation not found"};
  co_return std::move(rows.front());
}

Json shown_operation(const Context& context, Json row) { return with_sockets(context, operation_to_api(std::move(row))); }

Json with_sockets(const Context& context, Json operation) {
  const auto fds = context.sessions.shown_to(operation.value("id", ""), context.owner);
  if (!fds.is_null()) {
    if (!operation["metadata"].is_object()) operation["metadata"] = Json::object();
    operation["metadata"]["fds"] = fds;
  }
  return operation;
}

Answer accepted(Context& context, std::string operation_path) {
  BERTH_CO_TRY(std::string id, operation_id_of(operation_path));
  BERTH_CO_TRY(Json row, co_await operation_row(context, std::move(id)));
  co_return async_answer(shown_operation(context, std::move(row)));
}

Answer run_operation(Context& context, Call call) {
  BERTH_CO_TRY(Reply reply, co_await context.bus.call(std::move(call)));
  co_return co_await accepted(context, reply.text(0));
}

Answer run_sync(Context& context, Call call) {
  BERTH_CO_CHECK(co_await context.bus.call(std::move(call)));
  co_return empty_answer();
}

Answer run_to_the_end(Context& context, Call call, UniqueFd content) {
  BERTH_CO_CHECK(co_await context.events.open());
  auto made = co_await context.bus.call(std::move(call));
  content.reset();
  BERTH_CO_TRY(Reply reply, std::move(made));
  BERTH_CO_TRY(std::string id, operation_id_of(reply.text(0)));
  Subscription::Wait wait(context.events, context.bus.bus().loop(), id, -1);
  if (const auto* upload = std::get_if<Upload>(&context.request.body); upload && upload->began)
    upload->began("/1.0/operations/" + id);
  BERTH_CO_TRY(Json row, co_await operation_row(context, id));
  if (row.value("status_code", 0) < 200) {
    const auto end = co_await wait;
    if (end != Subscription::Wait::End::Finished)
      co_return Error{Code::Unavailable, "the daemon went away while it worked; look whether the change was made"};
    BERTH_CO_TRY(Json ended, co_await operation_row(context, id));
    row = std::move(ended);
  }
  if (row.value("status_code", 0) == 200) co_return empty_answer();
  co_return Error{code_from_dbus(row.value("error_code", ""), Code::Internal), row.value("err", "the operation failed")};
}

Json urls_below_instance(const Context& context, std::string_view kind, const Json& objects) {
  const auto base = url_of("instances", context.parameter("name"), {}, context.collection) + '/' + std::string(kind) + '/';
  const auto project = context.one_project();
  auto urls = Json::array();
  for (const auto& object : objects)
    urls.push_back(base + percent_encode(object.value("name", "")) +
                   (project == "default" ? "" : "?project=" + percent_encode(project)));
  return urls;
}

Result<void> check_tag(const Context& context, const std::string& etag) {
  const auto given = context.request.headers.get("If-Match");
  if (given.empty() || given == '"' + etag + '"' || given == etag) return {};
  return Error{Code::RevisionMismatch, "ETag doesn't match: " + etag + " vs " + std::string(given)};
}

Result<std::optional<std::uint64_t>> checked_revision(const Context& context, const std::string& etag, const Json& row) {
  if (context.request.headers.get("If-Match").empty()) return std::optional<std::uint64_t>();
  BERTH_CHECK(check_tag(context, etag));
  const auto revision = row.find("revision");
  if (revision == row.end() || !revision->is_number_unsigned()) return std::optional<std::uint64_t>();
  return std::optional<std::uint64_t>(revision->get<std::uint64_t>());
}

Result<Options> common_changes(const Json& body, bool whole) {
  Options changes;
  if (whole || has_field(body, "config")) {
    BERTH_TRY(auto config, map_field(body, "config"));
    changes["config"] = std::move(config);
  }
  if (whole || has_field(body, "devices")) {
    BERTH_TRY(auto devices, maps_field(body, "devices"));
    changes["devices"] = std::move(devices);
  }
  if (whole || has_field(body, "description")) {
    BERTH_TRY(auto description, text_field(body, "description"));
    changes["description"] = std::move(description);
  }
  return changes;
}

Result<Json> filtered(const Context& context, Json objects) {
  BERTH_TRY(const auto filter, Filter::parse(context.query.get("filter")));
  if (filter.empty()) return objects;
  auto kept = Json::array();
  for (auto& object : objects)
    if (filter.matches(object)) kept.push_back(std::move(object));
  return kept;
}

}  // namespace berth::rest
