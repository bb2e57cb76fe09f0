#include "rest-bridge/api/common.hpp"
#include "rest-bridge/api/extensions.hpp"
#include "rest-bridge/api/rows.hpp"

namespace berth::rest {
namespace {

/// The server's row as the daemon wrote it, in an array of one.
Task<Result<std::string>> server_text(Context& context) {
  Call call = manager_call("DescribeServer", {});
  call.arguments.emplace_back(Options());
  co_return co_await context.bus.describe_text(std::move(call));
}

Result<Json> row_in(const std::string& text) {
  auto rows = Json::parse(text, nullptr, false);
  if (!rows.is_array() || rows.empty() || !rows.front().is_object())
    return Error{Code::Internal, "the daemon did not describe the server"};
  return std::move(rows.front());
}

Task<Result<Json>> server_row(Context& context) {
  BERTH_CO_TRY(const std::string text, co_await server_text(context));
  co_return row_in(text);
}

/// Keys whose value nobody gets to read: `true` where they are set, and sent back so to be kept.
constexpr std::string_view kSecretKeys[] = {"core.trust_password"};

Json shown_config(const Json& row) {
  auto config = row.value("config", Json::object());
  for (const auto key : kSecretKeys)
    if (config.contains(key)) config[std::string(key)] = true;
  return config;
}

/// Takes the secret keys out that shall stay as they are.
Strings take_kept(Json& body) {
  Strings kept;
  if (!body.contains("config") || !body["config"].is_object()) return kept;
  for (const auto key : kSecretKeys) {
    const auto found = body["config"].find(key);
    if (found == body["config"].end() || *found != true) continue;
    kept.emplace_back(key);
    body["config"].erase(found);
  }
  return kept;
}

std::string server_etag(const Json& row) { return etag_of(shown_config(row)); }

Answer get_root(Context&) { co_return sync_answer(Json::array({"/1.0"})); }

/// What the API tells of itself to anybody.
Json public_view(const Json& environment) {
  Json server;
  server["api_extensions"] = served_extensions(environment);
  server["api_status"] = "stable";
  server["api_version"] = "1.0";
  server["auth"] = "untrusted";
  server["public"] = false;
  server["auth_methods"] = Json::array({"tls"});
  return server;
}

/// What trusted clients see, and its tag.
struct Page {
  std::string row;  ///< what it was made of
  std::string project;
  std::string text;
  std::string etag;
};

Result<Page> make_page(std::string text, std::string project) {
  BERTH_TRY(Json row, row_in(text));
  auto environment = to_api(row.value("environment", Json::object()), Resource::Server);
  environment["project"] = project;
  Json server = public_view(environment);
  server["auth"] = "trusted";
  server["config"] = shown_config(row);
  server["environment"] = std::move(environment);
  return Page{.row = std::move(text), .project = std::move(project), .text = dump(server), .etag = server_etag(row)};
}

Answer get_server(Context& context) {
  auto described = co_await server_text(context);
  // A TLS client that is not trusted is told so, and how to change that; a process of this host is refused.
  if (!described && described.error().code == Code::AccessDenied && context.client.tls)
    co_return sync_answer(public_view(Json::object()));
  if (!described) co_return std::move(described).error();
  // Every client begins with this question, and the page follows from the row and the project alone. The row is asked for
  // each time, with the asker's rights; the page is made anew when it has changed.
  static thread_local Page page;
  if (page.row != *described || page.project != context.one_project()) {
    BERTH_CO_TRY(page, make_page(*std::move(described), context.one_project()));
  }
  co_return with_etag(sync_text_answer(page.text), page.etag);
}

Answer change_server(Context& context, bool whole) {
  BERTH_CO_TRY(Json body, body_of(context));
  auto kept = take_kept(body);
  StringMap config;
  if (has_field(body, "config")) {
    BERTH_CO_TRY(StringMap given, map_field(body, "config"));
    config = std::move(given);
  } else if (!whole) {
    co_return empty_answer();
  }
  Options options;
  options["replace"] = whole;
  if (!kept.empty()) options["keep"] = std::move(kept);
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
