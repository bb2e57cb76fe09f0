#include <array>
#include <optional>
#include <utility>

#include "rest-bridge/api/common.hpp"
#include "rest-bridge/api/local_operation.hpp"
#include "rest-bridge/api/rows.hpp"

namespace berth::rest {
namespace {

/// An action of the API and the method it is; `from` says which instances a bulk change picks.
struct Action {
  std::string_view word;
  std::string_view method;
  std::string_view description;  ///< of a bulk change
  bool (*applies)(std::string_view status);
};

bool is_stopped(std::string_view status) { return status == "Stopped"; }
bool is_up(std::string_view status) { return status != "Stopped"; }
bool is_running(std::string_view status) { return status == "Running"; }
bool is_frozen(std::string_view status) { return status == "Frozen"; }

constexpr std::array kActions{
    Action{"start", "Start", "Starting instances", is_stopped},
    Action{"stop", "Stop", "Stopping instances", is_up},
    Action{"restart", "Restart", "Restarting instances", is_up},
    Action{"freeze", "Freeze", "Freezing instances", is_running},
    Action{"unfreeze", "Unfreeze", "Unfreezing instances", is_frozen},
};

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

/// Waits until every operation has ended, then ends the local one that stands for all of them.
Answer finish_bulk(Subscription& events, Caller& bus, std::unique_ptr<LocalOperation> operation, Strings ids, std::string failure) {
  for (const auto& id : ids) {
    Subscription::Wait wait(events, bus.bus().loop(), id, -1);
    Options options;
    options["ids"] = Strings(1, id);
    Call call = manager_call("DescribeOperations", {});
    call.arguments.emplace_back(std::string());
    call.arguments.emplace_back(std::move(options));
    BERTH_CO_TRY(Json rows, co_await bus.describe(std::move(call)));
    Json ended = rows.empty() ? Json() : rows.front();
    if (ended.is_object() && ended.value("status_code", 0) < 200) {
      if (co_await wait != Subscription::Wait::End::Finished) co_return Error{Code::Unavailable, "the daemon went away"};
      ended = wait.operation();
    }
    if (ended.is_object() && ended.value("status_code", 0) != 200 && failure.empty()) failure = ended.value("err", "");
  }
  operation->finish(failure);
  co_return empty_answer();
}

Answer put_all(Context& context) {
  BERTH_CO_TRY(Json body, body_of(context));
  const auto state = has_field(body, "state") ? body.at("state") : Json(Json::object());
  if (!state.is_object()) co_return Error{Code::InvalidArgument, "the field \"state\" of the request must be an object"};
  BERTH_CO_TRY(Change change, change_of(state));
  BERTH_CO_CHECK(co_await context.events.open());
  Call list = manager_call("DescribeInstances", {});
  list.arguments.emplace_back(context.one_project());
  list.arguments.emplace_back(Options());
  BERTH_CO_TRY(Json rows, co_await context.bus.describe(std::move(list)));

  Strings names;
  Strings operations;
  std::string failure;
  for (const auto& row : rows) {
    if (!change.action->applies(row.value("status", ""))) continue;
    names.push_back(row.value("name", ""));
    context.parameters["name"] = names.back();
    BERTH_CO_TRY(Call call, instance_call(context, std::string(change.action->method), {}));
    call.arguments.emplace_back(change.options);
    auto made = co_await context.bus.call(std::move(call));
    if (made) {
      BERTH_CO_TRY(std::string id, operation_id_of(made->text(0)));
      operations.push_back(std::move(id));
    } else if (failure.empty()) {
      failure = "instance \"" + names.back() + "\": " + made.error().message;
    }
  }
  auto operation = std::make_unique<LocalOperation>(context.sessions, context.owner, "task", std::string(change.action->description),
                                                    context.one_project(), std::move(names));
  auto row = operation->row();
  context.spawn(finish_bulk(context.events, context.bus, std::move(operation), std::move(operations), std::move(failure)));
  co_return async_answer(operation_to_api(std::move(row)));
}

constexpr Route kRoutes[] = {
    {"PUT", "/1.0/instances", "Instance.Start, Stop, Restart, Freeze, Unfreeze", "manage-instances", put_all},
    {"GET", "/1.0/instances/{name}/state", "Manager.DescribeInstances", "view", get_state},
    {"PUT", "/1.0/instances/{name}/state", "Instance.Start, Stop, Restart, Freeze, Unfreeze", "manage-instances", put_state},
};

}  // namespace

std::span<const Route> instance_state_routes() { return kRoutes; }

}  // namespace berth::rest
