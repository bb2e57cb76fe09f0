#include <utility>

#include "rest-bridge/api/common.hpp"
#include "rest-bridge/api/rows.hpp"

namespace berth::rest {
namespace {

Json alias_of(const Json& row) {
  return Json{{"name", row.at(0)}, {"target", row.at(1)}, {"type", row.at(2)}, {"description", row.at(3)}};
}

Task<Result<Json>> aliases(Context& context) {
  Call call = manager_call("ListImageAliases", {});
  call.arguments.emplace_back(context.one_project());
  BERTH_CO_TRY(Reply reply, co_await context.bus.call(std::move(call)));
  auto list = Json::array();
  for (const auto& row : reply.values.at(0)) list.push_back(alias_of(row));
  co_return list;
}

Task<Result<Json>> find_alias(Context& context) {
  BERTH_CO_TRY(Json list, co_await aliases(context));
  for (auto& alias : list)
    if (alias.at("name") == context.parameter("alias")) co_return std::move(alias);
  co_return Error{Code::NotFound, "Image alias not found"};
}

Answer list_aliases(Context& context) {
  BERTH_CO_TRY(Json list, co_await aliases(context));
  if (context.recursion() >= 1) co_return sync_answer(list);
  auto urls = Json::array();
  for (const auto& alias : list) urls.push_back(url_of("image-alias", alias.at("name").get<std::string>()));
  co_return sync_answer(urls);
}

Answer create_alias(Context& context) {
  BERTH_CO_TRY(Json body, body_of(context));
  BERTH_CO_TRY(std::string name, text_field(body, "name"));
  BERTH_CO_TRY(std::string target, text_field(body, "target"));
  BERTH_CO_TRY(std::string description, text_field(body, "description"));
  if (name.empty() || target.empty()) co_return Error{Code::InvalidArgument, "name and target are required"};
  Options options;
  if (!description.empty()) options["description"] = std::move(description);
  const auto location = url_of("image-alias", name);
  Call call = manager_call("CreateImageAlias", {});
  call.arguments.emplace_back(context.one_project());
  call.arguments.emplace_back(std::move(name));
  call.arguments.emplace_back(std::move(target));
  call.arguments.emplace_back(std::move(options));
  BERTH_CO_CHECK(co_await context.bus.call(std::move(call)));
  co_return created_answer(location);
}

Answer get_alias(Context& context) {
  BERTH_CO_TRY(Json alias, co_await find_alias(context));
  co_return with_etag(sync_answer(alias), etag_of(alias));
}

Answer change_alias(Context& context, bool whole) {
  BERTH_CO_TRY(Json body, body_of(context));
  BERTH_CO_TRY(Json alias, co_await find_alias(context));
  BERTH_CO_CHECK(checked_revision(context, etag_of(alias), Json(Json::object())));
  Options changes;
  BERTH_CO_TRY(std::string target, text_field(body, "target"));
  if (whole && target.empty()) co_return Error{Code::InvalidArgument, "The target field is required"};
  if (!target.empty()) changes["target"] = std::move(target);
  if (whole || has_field(body, "description")) {
    BERTH_CO_TRY(std::string description, text_field(body, "description"));
    changes["description"] = std::move(description);
  }
  Call call = manager_call("UpdateImageAlias", {});
  call.arguments.emplace_back(context.one_project());
  call.arguments.emplace_back(context.parameter("alias"));
  call.arguments.emplace_back(std::move(changes));
  co_return co_await run_sync(context, std::move(call));
}

Answer put_alias(Context& context) { co_return co_await change_alias(context, true); }
Answer patch_alias(Context& context) { co_return co_await change_alias(context, false); }

Answer rename_alias(Context& context) {
  BERTH_CO_TRY(Json body, body_of(context));
  BERTH_CO_TRY(std::string name, text_field(body, "name"));
  const auto location = url_of("image-alias", name);
  Call call = manager_call("RenameImageAlias", {});
  call.arguments.emplace_back(context.one_project());
  call.arguments.emplace_back(context.parameter("alias"));
  call.arguments.emplace_back(std::move(name));
  BERTH_CO_CHECK(co_await context.bus.call(std::move(call)));
  co_return created_answer(location);
}

Answer delete_alias(Context& context) {
  Call call = manager_call("DeleteImageAlias", {});
  call.arguments.emplace_back(context.one_project());
  call.arguments.emplace_back(context.parameter("alias"));
  co_return co_await run_sync(context, std::move(call));
}

constexpr Route kRoutes[] = {
    {"GET", "/1.0/images/aliases", "Manager.ListImageAliases", "view", list_aliases},
    {"POST", "/1.0/images/aliases", "Manager.CreateImageAlias", "manage-images", create_alias},
    {"GET", "/1.0/images/aliases/{alias...}", "Manager.ListImageAliases", "view", get_alias},
    {"PUT", "/1.0/images/aliases/{alias...}", "Manager.UpdateImageAlias", "manage-images", put_alias},
    {"PATCH", "/1.0/images/aliases/{alias...}", "Manager.UpdateImageAlias", "manage-images", patch_alias},
    {"POST", "/1.0/images/aliases/{alias...}", "Manager.RenameImageAlias", "manage-images", rename_alias},
    {"DELETE", "/1.0/images/aliases/{alias...}", "Manager.DeleteImageAlias", "manage-images", delete_alias},
};

}  // namespace

std::span<const Route> alias_routes() { return kRoutes; }

}  // namespace berth::rest
