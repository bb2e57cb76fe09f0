#include <array>
#include <optional>
#include <utility>

#include "rest-bridge/api/common.hpp"
#include "rest-bridge/api/rows.hpp"

namespace berth::rest {
namespace {

/// An action of the API, and the method it is of one instance.
struct Action {
  std::string_view word;
  std::string_view method;
};

constexpr std::array kActions{Action{"start", "Start"}, Action{"stop", "Stop"}, Action{"restart", "Restart"}, Action{"freeze", "Freeze"},
                              Action{"unfreeze", "Unfreeze"}};

/// A change of state as the request words it.
struct Change {
  const Action* action = nullptr;
  Options options;
};

Result<Change> change_of(const Json& body) {
  BERTH_TRY(const auto word, text_field(body, "action"));
  Change change;
  for (const auto& action : kActions)
    if (action.word == word) change.action = &action;
  if (!change.action) return Error{Code::InvalidArgument, "Unknown action: '" + word + "'"};
  BERTH_TRY(const auto stateful, bool_field(body, "stateful"));
  if (stateful) return Error{Code::NotSupported, "stateful stop and start are not supported"};
  BERTH_TRY(const auto force, bool_field(body, "force"));
  BERTH_TRY(const auto timeout, number_field(body, "timeout", -1));
  if (word == "stop" || word == "restart") {
    if (force) change.options["force"] = true;
    change.options["timeout"] = timeout;
  }
  return change;
}

Answer get_state(Context& context) {
  if (!InstanceName::parse(context.parameter("name"))) co_return Error{Code::NotFound, "Instance not found"};
  Options options;
  options["names"] = Strings(1, context.parameter("name"));
  options["detail"] = "state";
  Call call = manager_call("DescribeInstances", {});
  call.arguments.emplace_back(context.one_project());
  call.arguments.emplace_back(std::move(options));
  BERTH_CO_TRY(Json rows, co_await context.bus.describe(std::move(call)));
  if (rows.empty()) co_return Error{Code::NotFound, "Instance not found"};
  auto state = to_api(rows.front().value("state", Json::object()), Resource::Instance);
  if (state.contains("network") && state["network"].empty()) state["network"] = nullptr;
  co_return sync_answer(state);
}

Answer put_state(Context& context) {
  BERTH_CO_TRY(Json body, body_of(context));
  BERTH_CO_TRY(Change change, change_of(body));
  BERTH_CO_TRY(Call call, instance_call(context, std::string(change.action->method), {}));
  call.arguments.emplace_back(std::move(change.options));
  co_return co_await run_operation(context, std::move(call));
}

Answer put_all(Context& context) {
  BERTH_CO_TRY(Json body, body_of(context));
  const auto state = has_field(body, "state") ? body.at("state") : Json(Json::object());
  if (!state.is_object()) co_return Error{Code::InvalidArgument, "the field \"state\" of the request must be an object"};
  BERTH_CO_TRY(Change change, change_of(state));
  Call call = manager_call("ChangeInstances", {});
  call.arguments.emplace_back(context.one_project());
  call.arguments.emplace_back(std::string(change.action->word));
  call.arguments.emplace_back(std::move(change.options));
  co_return co_await run_operation(context, std::move(call));
}

constexpr Route kRoutes[] = {
    {"PUT", "/1.0/instances", "Manager.ChangeInstances", "manage-instances", put_all},
    {"GET", "/1.0/instances/{name}/state", "Manager.DescribeInstances", "view", get_state},
    {"PUT", "/1.0/instances/{name}/state", "Instance.Start, Stop, Restart, Freeze, Unfreeze", "manage-instances", put_state},
};

}  // namespace

std::span<const Route> instance_state_routes() { return kRoutes; }

}  // namespace berth::rest
