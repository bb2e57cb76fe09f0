#include <algorithm>
#include <set>
#include <utility>

#include "base/object_path.hpp"
#include "rest-bridge/api/common.hpp"
#include "rest-bridge/api/rows.hpp"

namespace berth::rest {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

Answer list_operations(Context& context) {
  Call call = manager_call("DescribeOperations", {});
  call.arguments.emplace_back(context.project);
  call.arguments.emplace_back(Options());
  BERTH_CO_TRY(Json rows, co_await context.bus.describe(std::move(call)));
  for (auto& row : context.sessions.locals(context.owner))
    if (context.project.empty() || row.value("project", "") == context.project) rows.push_back(std::move(row));
  auto by_status = Json::object();
  for (auto& row : rows) {
    auto operation = operation_to_api(std::move(row));
    auto& list = by_status[lower(operation.value("status", ""))];
    if (context.recursion() >= 1)
      list.push_back(std::move(operation));
    else
      list.push_back("/1.0/operations/" + operation.value("id", ""));
  }
  co_return sync_answer(by_status);
}

Answer get_operation(Context& context) {
  BERTH_CO_TRY(Json row, co_await operation_row(context, context.parameter("id")));
  co_return sync_answer(shown_operation(context, std::move(row)));
}

Answer wait_operation(Context& context) {
  std::int64_t timeout = -1;
  if (context.query.has("timeout")) {
    try {
      timeout = std::stoll(std::string(context.query.get("timeout")));
    } catch (const std::exception&) {
      co_return Error{Code::InvalidArgument, "timeout must be a number of seconds"};
    }
  }
  const auto id = context.parameter("id");
  BERTH_CO_CHECK(co_await context.events.open());
  // Listen first, then look: an end between the two is not lost.
  Subscription::Wait wait(context.events, context.bus.bus().loop(), id, std::min<std::int64_t>(timeout, 86'400LL * 365));
  BERTH_CO_TRY(Json row, co_await operation_row(context, id));
  if (row.value("status_code", 0) >= 200 || timeout == 0) co_return sync_answer(shown_operation(context, std::move(row)));
  const auto end = co_await wait;
  if (end == Subscription::Wait::End::Lost) co_return Error{Code::Unavailable, "the daemon went away; ask again for the operation"};
  // The last event has all that asking once more would tell.
  if (end == Subscription::Wait::End::Finished) co_return sync_answer(with_sockets(context, wait.operation()));
  BERTH_CO_TRY(Json now, co_await operation_row(context, id));
  co_return sync_answer(shown_operation(context, std::move(now)));
}

Answer cancel_operation(Context& context) {
  BERTH_CO_TRY(Json row, co_await operation_row(context, context.parameter("id")));
  if (context.sessions.local(context.parameter("id"), context.owner))
    co_return Error{Code::FailedPrecondition, "This operation can't be cancelled"};
  BERTH_CO_TRY(const auto id, OperationId::parse(context.parameter("id")));
  Call call{.path = operation_path(id), .interface = "Operation", .member = "Cancel", .arguments = {}};
  co_return co_await run_sync(context, std::move(call));
}

Answer operation_websocket(Context& context) {
  const auto secret = context.query.get("secret");
  if (secret.empty()) co_return error_answer(400, "missing secret");
  if (!context.request.upgrade) co_return Error{Code::InvalidArgument, "this path is a websocket; ask for an upgrade"};
  auto opened = context.sessions.redeem(context.parameter("id"), secret);
  if (!opened && opened.error().code == Code::AccessDenied) co_return error_answer(500, "permission denied");
  if (!opened) co_return std::move(opened).error();
  Response response;
  response.status = 101;
  response.body = Stream{.session = std::move(opened->session), .name = std::move(opened->name), .events = nullptr};
  co_return response;
}

Answer get_events(Context& context) {
  if (!context.request.upgrade) {
    Response response;
    response.status = 400;
    response.headers.add("Content-Type", "text/plain; charset=utf-8");
    response.headers.add("X-Content-Type-Options", "nosniff");
    response.body = std::string("Bad Request\n");
    co_return response;
  }
  std::set<std::string> types;
  auto wanted = context.query.get("type");
  while (!wanted.empty()) {
    const auto comma = wanted.find(',');
    const auto type = wanted.substr(0, comma);
    if (type != "operation" && type != "lifecycle" && type != "logging")
      co_return Error{Code::InvalidArgument, "\"" + std::string(type) + "\" isn't a supported event type"};
    types.emplace(type);
    wanted = comma == std::string_view::npos ? std::string_view() : wanted.substr(comma + 1);
  }
  const bool all = context.project.empty() || context.project == "*";
  const auto events = std::make_shared<FilteredEvents>(std::move(types), all ? std::string() : context.project);
  // Listening begins before the daemon is asked: whatever comes first is kept.
  events->attach(context.events);
  BERTH_CO_CHECK(co_await context.events.open());
  Response response;
  response.status = 101;
  response.body = Stream{.session = nullptr, .name = {}, .events = events};
  co_return response;
}

constexpr Route kOperationRoutes[] = {
    {"GET", "/1.0/operations", "Manager.DescribeOperations", "view", list_operations},
    {"GET", "/1.0/operations/{id}", "Manager.DescribeOperations", "view", get_operation},
    {"DELETE", "/1.0/operations/{id}", "Operation.Cancel", "manage-instances", cancel_operation},
    {"GET", "/1.0/operations/{id}/wait", "Manager.Subscribe, DescribeOperations", "view", wait_operation},
    {"GET", "/1.0/operations/{id}/websocket", "Operation.Begin, SendSignal", "access-instances", operation_websocket},
};

constexpr Route kEventRoutes[] = {
    {"GET", "/1.0/events", "Manager.Subscribe", "view", get_events},
};

}  // namespace

std::span<const Route> operation_routes() { return kOperationRoutes; }
std::span<const Route> event_routes() { return kEventRoutes; }

}  // namespace berth::rest
