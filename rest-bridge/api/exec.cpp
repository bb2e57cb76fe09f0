#include <sys/socket.h>

#include <cerrno>
#include <map>
#include <memory>
#include <utility>

#include "rest-bridge/api/common.hpp"
#include "rest-bridge/api/local_operation.hpp"
#include "rest-bridge/api/rows.hpp"

namespace berth::rest {
namespace {

/// A number of the request as D-Bus' u. Errors: InvalidArgument below 0 or beyond 32 bits.
Result<std::uint32_t> unsigned_field(const Json& body, const char* name) {
  BERTH_TRY(const auto number, number_field(body, name));
  if (number < 0 || number > UINT32_MAX)
    return Error{Code::InvalidArgument, "the field \"" + std::string(name) + "\" of the request is out of range"};
  return static_cast<std::uint32_t>(number);
}

Result<Options> exec_options(const Json& body) {
  Options options;
  BERTH_TRY(auto environment, map_field(body, "environment"));
  if (!environment.empty()) options["environment"] = std::move(environment);
  for (const auto* name : {"user", "group"}) {
    BERTH_TRY(const auto number, unsigned_field(body, name));
    if (number != 0) options[name] = number;
  }
  BERTH_TRY(auto cwd, text_field(body, "cwd"));
  if (!cwd.empty()) options["cwd"] = std::move(cwd);
  return options;
}

Result<void> add_size(const Json& body, Options& options) {
  for (const auto* name : {"width", "height"}) {
    BERTH_TRY(const auto number, unsigned_field(body, name));
    if (number != 0) options[name] = number;
  }
  return {};
}

/// Both ends of an exec's lifeline.
struct Lifeline {
  UniqueFd ours, theirs;
};

Result<Lifeline> make_lifeline() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return system_error("cannot make a socket", errno);
  return Lifeline{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

/// Keeps a session for its websockets and makes the 202: the operation with the session's secrets.
Result<Response> with_secrets(Context& context, Json row, std::shared_ptr<ExecSession> session) {
  BERTH_TRY(const auto fds, context.sessions.add(session, context.owner));
  auto response = async_answer(shown_operation(context, std::move(row)));
  response.session = std::move(session);
  return response;
}

Answer exec(Context& context) {
  BERTH_CO_TRY(Json body, body_of(context));
  BERTH_CO_TRY(Strings command, strings_field(body, "command"));
  if (command.empty()) co_return Error{Code::InvalidArgument, "the command is empty"};
  BERTH_CO_TRY(Options options, exec_options(body));
  BERTH_CO_TRY(bool websocket, bool_field(body, "wait-for-websocket"));
  BERTH_CO_TRY(bool interactive, bool_field(body, "interactive"));
  BERTH_CO_TRY(bool record, bool_field(body, "record-output"));
  const char* method = "ExecDetached";
  Lifeline lifeline;
  if (websocket) {
    if (record) co_return Error{Code::InvalidArgument, "output is recorded only without websockets"};
    options["deferred"] = true;
    BERTH_CO_TRY(lifeline, make_lifeline());
    options["lifeline"] = Handle{lifeline.theirs.get()};
    method = "Exec";
    if (interactive) {
      BERTH_CO_CHECK(add_size(body, options));
      method = "ExecTerminal";
    }
  } else if (record) {
    options["record-output"] = true;
  }
  BERTH_CO_TRY(Call call, instance_call(context, method, {}));
  call.arguments.emplace_back(std::move(command));
  call.arguments.emplace_back(std::move(options));
  if (!websocket) co_return co_await run_operation(context, std::move(call));

  BERTH_CO_TRY(Reply reply, co_await context.bus.call(std::move(call)));
  lifeline.theirs.reset();  // the command's side alone has it now
  std::map<std::string, UniqueFd> streams;
  const std::size_t count = interactive ? 1 : 3;
  for (std::size_t i = 0; i < count; ++i) streams.emplace(std::to_string(i), reply.take_fd(i + 1));
  BERTH_CO_TRY(std::string id, operation_id_of(reply.text(0)));
  BERTH_CO_TRY(Json row, co_await operation_row(context, id));
  auto session = std::make_shared<ExecSession>(std::move(id), std::move(streams), true);
  session->hold(std::move(lifeline.ours));
  // The daemon's operation knows what is run; a client reads it from there.
  auto& metadata = row["metadata"];
  if (!metadata.is_object()) metadata = Json::object();
  if (!metadata.contains("command")) metadata["command"] = body.at("command");
  if (!metadata.contains("environment")) metadata["environment"] = body.value("environment", Json::object());
  metadata["interactive"] = interactive;
  co_return with_secrets(context, std::move(row), std::move(session));
}

/// A console with the operation that the API has for it.
class ConsoleSession final : public ExecSession {
 public:
  ConsoleSession(std::unique_ptr<LocalOperation> operation, std::map<std::string, UniqueFd> streams)
      : ExecSession(operation->id(), std::move(streams), false), operation_(std::move(operation)) {}
  ~ConsoleSession() { operation_->finish({}); }

 private:
  std::unique_ptr<LocalOperation> operation_;
};

Answer attach_console(Context& context) {
  BERTH_CO_TRY(Json body, body_of(context));
  BERTH_CO_TRY(std::string type, text_field(body, "type"));
  if (!type.empty() && type != "console") co_return Error{Code::NotSupported, "containers have no console of type " + type};
  Options options;
  BERTH_CO_CHECK(add_size(body, options));
  BERTH_CO_TRY(Call call, instance_call(context, "OpenConsole", {}));
  call.arguments.emplace_back(std::move(options));
  BERTH_CO_TRY(Reply reply, co_await context.bus.call(std::move(call)));
  std::map<std::string, UniqueFd> streams;
  streams.emplace("0", reply.take_fd(0));
  auto operation = std::make_unique<LocalOperation>(context.sessions, context.owner, "websocket", "Showing console",
                                                    context.one_project(), Strings(1, context.parameter("name")));
  auto row = operation->row();
  co_return with_secrets(context, std::move(row), std::make_shared<ConsoleSession>(std::move(operation), std::move(streams)));
}

Answer open_log(Context& context, std::string name) {
  BERTH_CO_TRY(Call call, instance_call(context, "OpenLog", {}));
  call.arguments.emplace_back(std::move(name));
  call.arguments.emplace_back(Options());
  BERTH_CO_TRY(Reply reply, co_await context.bus.call(std::move(call)));
  co_return raw_answer(reply.take_fd(0), "application/octet-stream");
}

Answer console_log(Context& context) { co_return co_await open_log(context, "console.log"); }
Answer get_log(Context& context) { co_return co_await open_log(context, context.parameter("log")); }

Answer remove_log(Context& context, std::string name) {
  BERTH_CO_TRY(Call call, instance_call(context, "RemoveLog", {}));
  call.arguments.emplace_back(std::move(name));
  call.arguments.emplace_back(Options());
  co_return co_await run_sync(context, std::move(call));
}

Answer clear_console(Context& context) { co_return co_await remove_log(context, "console.log"); }
Answer delete_log(Context& context) { co_return co_await remove_log(context, context.parameter("log")); }

Answer list_logs(Context& context) {
  BERTH_CO_TRY(Call call, instance_call(context, "ListLogs", {}));
  BERTH_CO_TRY(Reply reply, co_await context.bus.call(std::move(call)));
  const auto base = url_of("instances", context.parameter("name"), {}, context.collection) + "/logs/";
  auto urls = Json::array();
  for (const auto& name : reply.values.at(0)) urls.push_back(base + percent_encode(name.get<std::string>()));
  co_return sync_answer(urls);
}

constexpr Route kExecRoutes[] = {
    {"POST", "/1.0/instances/{name}/exec", "Instance.Exec, ExecTerminal, ExecDetached", "access-instances", exec},
};

constexpr Route kConsoleRoutes[] = {
    {"GET", "/1.0/instances/{name}/console", "Instance.OpenLog", "access-instances", console_log},
    {"POST", "/1.0/instances/{name}/console", "Instance.OpenConsole", "access-instances", attach_console},
    {"DELETE", "/1.0/instances/{name}/console", "Instance.RemoveLog", "access-instances", clear_console},
    {"GET", "/1.0/instances/{name}/logs", "Instance.ListLogs", "view", list_logs},
    {"GET", "/1.0/instances/{name}/logs/{log}", "Instance.OpenLog", "access-instances", get_log},
    {"DELETE", "/1.0/instances/{name}/logs/{log}", "Instance.RemoveLog", "access-instances", delete_log},
};

}  // namespace

std::span<const Route> exec_routes() { return kExecRoutes; }
std::span<const Route> console_routes() { return kConsoleRoutes; }

}  // namespace berth::rest
