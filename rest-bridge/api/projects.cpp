#include <utility>

#include "base/object_path.hpp"
#include "rest-bridge/api/common.hpp"
#include "rest-bridge/api/rows.hpp"

namespace berth::rest {
namespace {

Json shown_project(Json row) {
  row["used_by"] = used_by_urls(row.value("used_by", Json::array()));
  return to_api(std::move(row), Resource::Project);
}

Task<Result<Json>> describe(Context& context, Options options) {
  Call call = manager_call("DescribeProjects", {});
  call.arguments.emplace_back(std::move(options));
  co_return co_await context.bus.describe(std::move(call));
}

Error no_project() { return Error{Code::NotFound, "Project not found"}; }

Task<Result<Json>> describe_one(Context& context) {
  if (!ProjectName::parse(context.parameter("name"))) co_return no_project();
  Options options;
  options["names"] = Strings(1, context.parameter("name"));
  auto rows = co_await describe(context, std::move(options));
  if (!rows && rows.error().code == Code::NotFound) co_return no_project();
  if (!rows) co_return std::move(rows).error();
  if (rows->empty()) co_return no_project();
  co_return std::move(rows->front());
}

std::string project_etag(const Json& row) {
  auto parts = Json::array();
  for (const auto* field : {"description", "config"}) parts.push_back(row.value(field, Json()));
  return etag_of(parts);
}

Result<Call> project_call(const Context& context, std::string member) {
  const auto name = ProjectName::parse(context.parameter("name"));
  if (!name) return no_project();
  return Call{.path = project_path(*name), .interface = "Project", .member = std::move(member), .arguments = {}};
}

bool is_default(const Context& context) { return context.parameter("name") == "default"; }

Answer list_projects(Context& context) {
  BERTH_CO_TRY(Json rows, co_await describe(context, Options()));
  auto objects = Json::array();
  for (auto& row : rows) objects.push_back(shown_project(std::move(row)));
  BERTH_CO_TRY(Json kept, filtered(context, std::move(objects)));
  if (context.recursion() >= 1) co_return sync_answer(kept);
  auto urls = Json::array();
  for (const auto& project : kept) urls.push_back(url_of("projects", project.value("name", "")));
  co_return sync_answer(urls);
}

/// The server's words for names that no project may have; the daemon has the rest of the rule.
Result<void> check_new_name(const std::string& name) {
  const auto refuse = [](const char* text) { return Error{Code::InvalidArgument, text}; };
  if (name.empty()) return refuse("No name provided");
  if (name.find('/') != std::string::npos) return refuse("Project names may not contain slashes");
  if (name.find(' ') != std::string::npos) return refuse("Project names may not contain spaces");
  if (name.find('_') != std::string::npos) return refuse("Project names may not contain underscores");
  if (name.find_first_of("'\"") != std::string::npos) return refuse("Project names may not contain quotes");
  if (name == "*") return refuse("Reserved project name");
  if (name == "." || name == "..") return Error{Code::InvalidArgument, "Invalid project name \"" + name + "\""};
  return {};
}

Answer create_project(Context& context) {
  BERTH_CO_TRY(Json body, body_of(context));
  BERTH_CO_TRY(std::string name, text_field(body, "name"));
  BERTH_CO_CHECK(check_new_name(name));
  BERTH_CO_TRY(StringMap config, map_field(body, "config"));
  BERTH_CO_TRY(std::string description, text_field(body, "description"));
  Options options;
  options["config"] = std::move(config);
  options["description"] = std::move(description);
  const auto location = url_of("projects", name);
  Call call = manager_call("CreateProject", {});
  call.arguments.emplace_back(std::move(name));
  call.arguments.emplace_back(std::move(options));
  BERTH_CO_CHECK(co_await context.bus.call(std::move(call)));
  co_return created_answer(location);
}

Answer get_project(Context& context) {
  BERTH_CO_TRY(Json row, co_await describe_one(context));
  const auto etag = project_etag(row);
  co_return with_etag(sync_answer(shown_project(std::move(row))), etag);
}

/// Both verbs replace the configuration; PATCH alone may leave it out.
Answer change_project(Context& context, bool whole) {
  BERTH_CO_TRY(Json body, body_of(context));
  BERTH_CO_TRY(Json row, co_await describe_one(context));
  BERTH_CO_TRY(const auto revision, checked_revision(context, project_etag(row), row));
  Options changes;
  if (whole || has_field(body, "config")) {
    BERTH_CO_TRY(StringMap config, map_field(body, "config"));
    changes["config"] = std::move(config);
  }
  if (whole || has_field(body, "description")) {
    BERTH_CO_TRY(std::string description, text_field(body, "description"));
    changes["description"] = std::move(description);
  }
  Options options;
  options["replace"] = true;
  if (revision) options["if-revision"] = *revision;
  BERTH_CO_TRY(Call call, project_call(context, "Update"));
  call.arguments.emplace_back(std::move(changes));
  call.arguments.emplace_back(std::move(options));
  co_return co_await run_sync(context, std::move(call));
}

Answer put_project(Context& context) { co_return co_await change_project(context, true); }
Answer patch_project(Context& context) { co_return co_await change_project(context, false); }

/// The operation belongs to a project whose events nobody may be listening to: a client that asked in another one would never
/// hear of its end. It takes a moment, so it is answered when it has ended.
Answer rename_project(Context& context) {
  if (is_default(context)) co_return error_answer(403, "The 'default' project cannot be renamed");
  BERTH_CO_TRY(Json body, body_of(context));
  BERTH_CO_TRY(std::string name, text_field(body, "name"));
  BERTH_CO_CHECK(co_await context.events.open());
  BERTH_CO_TRY(Call call, project_call(context, "Rename"));
  call.arguments.emplace_back(std::move(name));
  call.arguments.emplace_back(Options());
  BERTH_CO_TRY(Reply reply, co_await context.bus.call(std::move(call)));
  BERTH_CO_TRY(std::string id, operation_id_of(reply.text(0)));
  Subscription::Wait wait(context.events, context.bus.bus().loop(), id, -1);
  BERTH_CO_TRY(Json row, co_await operation_row(context, id));
  if (row.value("status_code", 0) < 200) {
    const auto end = co_await wait;
    if (end != Subscription::Wait::End::Finished)
      co_return Error{Code::Unavailable, "the daemon went away while it worked; look whether the project was renamed"};
  }
  co_return co_await accepted(context, reply.text(0));
}

Answer delete_project(Context& context) {
  if (is_default(context)) co_return error_answer(403, "The 'default' project cannot be deleted");
  BERTH_CO_TRY(Call call, project_call(context, "Delete"));
  auto done = co_await context.bus.call(std::move(call));
  if (done) co_return empty_answer();
  const auto& error = done.error();
  if (error.code == Code::FailedPrecondition) co_return error_answer(500, error.message);
  if (error.code == Code::NotFound)
    co_return Error{Code::NotFound, "Fetch project \"" + context.parameter("name") + "\": Project not found"};
  co_return error;
}

Answer get_project_state(Context& context) {
  BERTH_CO_TRY(Call call, project_call(context, "GetState"));
  BERTH_CO_TRY(Reply reply, co_await context.bus.call(std::move(call)));
  auto resources = Json::object();
  const auto& told = reply.values.at(0);
  for (const auto& [name, row] : told.at("resources").items())
    resources[name] = Json{{"Limit", row.value("limit", std::int64_t{-1})}, {"Usage", row.value("usage", std::int64_t{0})}};
  co_return sync_answer(Json{{"resources", std::move(resources)}});
}

constexpr Route kRoutes[] = {
    {"GET", "/1.0/projects", "Manager.DescribeProjects", "view", list_projects},
    {"POST", "/1.0/projects", "Manager.CreateProject", "manage-projects", create_project},
    {"GET", "/1.0/projects/{name}", "Manager.DescribeProjects", "view", get_project},
    {"PUT", "/1.0/projects/{name}", "Project.Update", "manage-projects", put_project},
    {"PATCH", "/1.0/projects/{name}", "Project.Update", "manage-projects", patch_project},
    {"POST", "/1.0/projects/{name}", "Project.Rename", "manage-projects", rename_project},
    {"DELETE", "/1.0/projects/{name}", "Project.Delete", "manage-projects", delete_project},
    {"GET", "/1.0/projects/{name}/state", "Project.GetState", "view", get_project_state},
};

}  // namespace

std::span<const Route> project_routes() { return kRoutes; }

}  // namespace berth::rest
