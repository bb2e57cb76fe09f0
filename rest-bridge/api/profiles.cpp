#include <utility>

#include "base/object_path.hpp"
#include "rest-bridge/api/common.hpp"
#include "rest-bridge/api/rows.hpp"

namespace berth::rest {
namespace {

Json shown_profile(Json row) {
  row["used_by"] = used_by_urls(row.value("used_by", Json::array()));
  return to_api(std::move(row), Resource::Profile);
}

Task<Result<Json>> describe(Context& context, Options options) {
  Call call = manager_call("DescribeProfiles", {});
  call.arguments.emplace_back(context.one_project());
  call.arguments.emplace_back(std::move(options));
  co_return co_await context.bus.describe(std::move(call));
}

Task<Result<Json>> describe_one(Context& context) {
  if (!ProfileName::parse(context.parameter("name"))) co_return Error{Code::NotFound, "Profile not found"};
  Options options;
  options["names"] = Strings(1, context.parameter("name"));
  BERTH_CO_TRY(Json rows, co_await describe(context, std::move(options)));
  if (rows.empty()) co_return Error{Code::NotFound, "Profile not found"};
  co_return std::move(rows.front());
}

std::string profile_etag(const Json& row) {
  auto parts = Json::array();
  for (const auto* field : {"config", "description", "devices"}) parts.push_back(row.value(field, Json()));
  return etag_of(parts);
}

Result<Call> profile_call(const Context& context, std::string member) {
  const auto project = ProjectName::parse(context.one_project());
  const auto name = ProfileName::parse(context.parameter("name"));
  if (!project || !name) return Error{Code::NotFound, "Profile not found"};
  return Call{.path = profile_path(*project, *name), .interface = "Profile", .member = std::move(member), .arguments = {}};
}

/// The API answers 403 where somebody would take the default profile away.
bool is_default(const Context& context) { return context.parameter("name") == "default"; }

Answer list_profiles(Context& context) {
  BERTH_CO_TRY(Json rows, co_await describe(context, Options()));
  auto objects = Json::array();
  // Those of a project that shares them are the default project's.
  const auto owner = rows.empty() ? std::string() : rows.front().value("project", "");
  for (auto& row : rows) objects.push_back(shown_profile(std::move(row)));
  BERTH_CO_TRY(Json kept, filtered(context, std::move(objects)));
  if (context.recursion() >= 1) co_return sync_answer(kept);
  auto urls = Json::array();
  for (const auto& profile : kept) urls.push_back(url_of("profiles", profile.value("name", ""), owner));
  co_return sync_answer(urls);
}

Answer create_profile(Context& context) {
  BERTH_CO_TRY(Json body, body_of(context));
  BERTH_CO_TRY(std::string name, text_field(body, "name"));
  BERTH_CO_TRY(Options options, common_changes(body, true));
  const auto location = url_of("profiles", name, context.one_project());
  Call call = manager_call("CreateProfile", {});
  call.arguments.emplace_back(context.one_project());
  call.arguments.emplace_back(std::move(name));
  call.arguments.emplace_back(std::move(options));
  BERTH_CO_CHECK(co_await context.bus.call(std::move(call)));
  co_return created_answer(location);
}

Answer get_profile(Context& context) {
  BERTH_CO_TRY(Json row, co_await describe_one(context));
  const auto etag = profile_etag(row);
  co_return with_etag(sync_answer(shown_profile(std::move(row))), etag);
}

Answer change_profile(Context& context, bool whole) {
  BERTH_CO_TRY(Json body, body_of(context));
  BERTH_CO_TRY(Options changes, common_changes(body, whole));
  Options options;
  options["replace"] = whole;
  if (!context.request.headers.get("If-Match").empty()) {
    BERTH_CO_TRY(Json row, co_await describe_one(context));
    BERTH_CO_TRY(const auto revision, checked_revision(context, profile_etag(row), row));
    if (revision) options["if-revision"] = *revision;
  }
  BERTH_CO_TRY(Call call, profile_call(context, "Update"));
  call.arguments.emplace_back(std::move(changes));
  call.arguments.emplace_back(std::move(options));
  co_return co_await run_sync(context, std::move(call));
}

Answer put_profile(Context& context) { co_return co_await change_profile(context, true); }
Answer patch_profile(Context& context) { co_return co_await change_profile(context, false); }

Answer rename_profile(Context& context) {
  if (is_default(context)) co_return error_answer(403, "The \"default\" profile cannot be renamed");
  BERTH_CO_TRY(Json body, body_of(context));
  BERTH_CO_TRY(std::string name, text_field(body, "name"));
  const auto location = url_of("profiles", name, context.one_project());
  BERTH_CO_TRY(Call call, profile_call(context, "Rename"));
  call.arguments.emplace_back(std::move(name));
  BERTH_CO_CHECK(co_await context.bus.call(std::move(call)));
  co_return created_answer(location);
}

Answer delete_profile(Context& context) {
  if (is_default(context)) co_return error_answer(403, "The \"default\" profile cannot be deleted");
  BERTH_CO_TRY(Call call, profile_call(context, "Delete"));
  co_return co_await run_sync(context, std::move(call));
}

constexpr Route kRoutes[] = {
    {"GET", "/1.0/profiles", "Manager.DescribeProfiles", "view", list_profiles},
    {"POST", "/1.0/profiles", "Manager.CreateProfile", "manage-profiles", create_profile},
    {"GET", "/1.0/profiles/{name}", "Manager.DescribeProfiles", "view", get_profile},
    {"PUT", "/1.0/profiles/{name}", "Profile.Update", "manage-profiles", put_profile},
    {"PATCH", "/1.0/profiles/{name}", "Profile.Update", "manage-profiles", patch_profile},
    {"POST", "/1.0/profiles/{name}", "Profile.Rename", "manage-profiles", rename_profile},
    {"DELETE", "/1.0/profiles/{name}", "Profile.Delete", "manage-profiles", delete_profile},
};

}  // namespace

std::span<const Route> profile_routes() { return kRoutes; }

}  // namespace berth::rest
