#include "rest-bridge/api/common.hpp"
#include "rest-bridge/api/extensions.hpp"
#include "rest-bridge/api/rows.hpp"

namespace berth::rest {
namespace {

Task<Result<Json>> server_row(Context& context) {
  Call call = manager_call("DescribeServer", {});
  call.arguments.emplace_back(Options());
  BERTH_CO_TRY(Json rows, co_await context.bus.describe(std::move(call)));
  if (rows.empty() || !rows.front().is_object()) co_return Error{Code::Internal, "the daemon did not describe the server"};
  co_return std::move(rows.front());
}

Json shown_config(const Json& row) { return row.value("config", Json::object()); }

std::string server_etag(const Json& row) { return etag_of(shown_config(row)); }

Answer get_root(Context&) { co_return sync_answer(Json::array({"/1.0"})); }

Answer get_server(Context& context) {
  BERTH_CO_TRY(Json row, co_await server_row(context));
  auto environment = to_api(row.value("environment", Json::object()), Resource::Server);
  environment["project"] = context.one_project();
  Json server;
  server["api_extensions"] = served_extensions(environment);
  server["api_status"] = "stable";
  server["api_version"] = "1.0";
  server["auth"] = "trusted";
  server["public"] = false;
  server["auth_methods"] = Json::array({"tls"});
  server["config"] = shown_config(row);
  server["environment"] = std::move(environment);
  co_return with_etag(sync_answer(server), server_etag(row));
}

Answer change_server(Context& context, bool whole) {
  BERTH_CO_TRY(Json body, body_of(context));
  StringMap config;
  if (has_field(body, "config")) {
    BERTH_CO_TRY(StringMap given, map_field(body, "config"));
    config = std::move(given);
  } else if (!whole) {
    co_return empty_answer();
  }
  Options options;
  options["replace"] = whole;
  if (!context.request.headers.get("If-Match").empty()) {
    BERTH_CO_TRY(Json row, co_await server_row(context));
    BERTH_CO_TRY(const auto revision, checked_revision(context, server_etag(row), row));
    if (revision) options["if-revision"] = *revision;
  }
  Call call = manager_call("SetServerConfig", {});
  call.arguments.emplace_back(std::move(config));
  call.arguments.emplace_back(std::move(options));
  co_return co_await run_sync(context, std::move(call));
}

Answer put_server(Context& context) { co_return co_await change_server(context, true); }
Answer patch_server(Context& context) { co_return co_await change_server(context, false); }

constexpr Route kRoutes[] = {
    {"GET", "/", "none", "", get_root},
    {"GET", "/1.0", "Manager.DescribeServer", "view", get_server},
    {"PUT", "/1.0", "Manager.SetServerConfig", "configure-server", put_server},
    {"PATCH", "/1.0", "Manager.SetServerConfig", "configure-server", patch_server},
};

}  // namespace

std::span<const Route> server_routes() { return kRoutes; }

}  // namespace berth::rest
