#include "rest-bridge/api/api.hpp"

#include <list>
#include <utility>

#include "base/log.hpp"
#include "base/object_path.hpp"
#include "rest-bridge/api/common.hpp"

namespace berth::rest {
namespace {

/// dbus-daemon refuses the 129th unanswered call of a connection; a request may need a second one.
constexpr std::size_t kMostRequests = 100;

Response not_there(const Route& route) {
  return error_answer(501, "Berth does not have this feature yet: " + std::string(route.call));
}

bool is_method(std::string_view method) {
  for (const std::string_view known : {"GET", "PUT", "POST", "PATCH", "DELETE", "HEAD"})
    if (method == known) return true;
  return false;
}

}  // namespace

struct Api::State : std::enable_shared_from_this<State> {
  /// One request that is worked on. The context outlives the handler's coroutine.
  struct Work {
    Context context;
    Done done;
    std::optional<Task<bool>> task;
  };

  Bus& bus;
  Caller caller;
  std::shared_ptr<Sessions> sessions;
  std::string owner;
  ClientInfo client;
  Subscription events;
  std::list<std::unique_ptr<Work>> works;
  std::list<std::optional<Task<bool>>> spawned;

  State(Bus& on, std::shared_ptr<Sessions> shared, std::string name, ClientInfo about)
      : bus(on),
        caller(on),
        sessions(shared ? std::move(shared) : std::make_shared<Sessions>(on.loop())),
        owner(std::move(name)),
        client(std::move(about)),
        events(caller, *sessions, owner) {}

  /// Forgets a finished task from the loop, since its frame cannot be destroyed while it runs.
  template <typename List>
  void forget_later(List& list, typename List::iterator place) {
    bus.loop().post([weak = weak_from_this(), &list, place] {
      if (const auto self = weak.lock()) list.erase(place);
    });
  }

  void answer_later(Done done, Response response) {
    bus.loop().post([done = std::move(done), held = std::make_shared<Response>(std::move(response))] { done(std::move(*held)); });
  }

  static Task<bool> run(State& state, std::list<std::unique_ptr<Work>>::iterator place, Handler handler) {
    auto& work = **place;
    Response response;
    try {
      auto result = co_await handler(work.context);
      response = result ? std::move(*result) : error_answer(result.error());
    } catch (const std::exception& failure) {
      log::error(std::string("a request failed with an exception: ") + failure.what());
      response = error_answer(Error{Code::Internal, "the answer of the daemon could not be understood"});
    }
    state.answer_later(std::move(work.done), std::move(response));
    state.forget_later(state.works, place);
    co_return true;
  }

  static Task<bool> run_spawned(State& state, std::list<std::optional<Task<bool>>>::iterator place, Answer answer) {
    try {
      if (const auto result = co_await std::move(answer); !result) log::warning(result.error().message);
    } catch (const std::exception& failure) {
      log::error(std::string("work after an answer failed with an exception: ") + failure.what());
    }
    state.forget_later(state.spawned, place);
    co_return true;
  }

  void spawn(Answer answer) {
    spawned.emplace_back();
    const auto place = std::prev(spawned.end());
    place->emplace(run_spawned(*this, place, std::move(answer)));
    (*place)->start();
  }

  static Task<bool> tell(Bus& bus, Task<Result<Reply>> call, std::function<void(Result<void>)> done, State& state,
                         std::list<std::optional<Task<bool>>>::iterator place) {
    auto reply = co_await std::move(call);
    auto result = reply ? Result<void>() : Result<void>(std::move(reply).error());
    bus.loop().post([done = std::move(done), result = std::move(result)] { done(result); });
    state.forget_later(state.spawned, place);
    co_return true;
  }

  /// A call whose success alone matters.
  void call_then(Call call, std::function<void(Result<void>)> done) {
    spawned.emplace_back();
    const auto place = std::prev(spawned.end());
    place->emplace(tell(bus, caller.call(std::move(call)), std::move(done), *this, place));
    (*place)->start();
  }
};

Api::Api(Bus& bus, std::shared_ptr<Sessions> sessions, std::string owner, ClientInfo client)
    : state_(std::make_shared<State>(bus, std::move(sessions), std::move(owner), std::move(client))) {}

Api::~Api() {
  state_->works.clear();
  state_->spawned.clear();
}

void Api::handle(Request request, Done done) {
  auto& state = *state_;
  auto target = Target::parse(request.target);
  if (!target) return state.answer_later(std::move(done), error_answer(target.error()));
  if (state.works.size() >= kMostRequests)
    return state.answer_later(std::move(done), error_answer(503, "too many requests of this client are in flight"));

  if (!is_method(request.method))
    return state.answer_later(std::move(done), error_answer(404, "Method \"" + request.method + "\" not found"));
  auto match = find_route(request.method, target->segments);
  if (!match.route)
    return state.answer_later(std::move(done), match.known_path ? error_answer(501, "not implemented") : error_answer(404, "not found"));
  if (!match.route->handler) return state.answer_later(std::move(done), not_there(*match.route));

  auto& query = target->query;
  std::string project = query.flag("all-projects") ? "" : std::string(query.get("project"));
  if (project.empty() && !query.flag("all-projects")) project = "default";
  state.works.push_back(std::make_unique<State::Work>(State::Work{
      .context = {.bus = state.caller,
                  .events = state.events,
                  .sessions = *state.sessions,
                  .owner = state.owner,
                  .client = state.client,
                  .request = std::move(request),
                  .query = std::move(query),
                  .parameters = std::move(match.parameters),
                  .collection = std::move(match.collection),
                  .project = std::move(project),
                  .spawn = [&state](Answer answer) { state.spawn(std::move(answer)); }},
      .done = std::move(done),
      .task = std::nullopt}));
  const auto place = std::prev(state.works.end());
  (*place)->task.emplace(State::run(state, place, match.route->handler));
  (*place)->task->start();
}

void Api::begin(const std::shared_ptr<ExecSession>& session, std::function<void(Result<void>)> done) {
  auto& state = *state_;
  const auto id = OperationId::parse(session->operation_id());
  if (!session->claim_begin() || !session->deferred() || !id) {
    state.sessions->begun(session->operation_id());
    state.bus.loop().post([done = std::move(done)] { done({}); });
    return;
  }
  // From here on the streams alone keep the session: when all of them are gone, so is the client.
  state.sessions->begun(session->operation_id());
  state.call_then(Call{.path = operation_path(*id), .interface = "Operation", .member = "Begin", .arguments = {}}, std::move(done));
}

void Api::signal(const std::shared_ptr<ExecSession>& session, int number, std::function<void(Result<void>)> done) {
  const auto id = OperationId::parse(session->operation_id());
  if (!session->deferred() || !id) {
    state_->bus.loop().post([done = std::move(done)] { done(Error{Code::FailedPrecondition, "a console has no command"}); });
    return;
  }
  Call call{.path = operation_path(*id), .interface = "Operation", .member = "SendSignal", .arguments = {}};
  call.arguments.emplace_back(static_cast<std::int32_t>(number));
  state_->call_then(std::move(call), std::move(done));
}

std::size_t Api::in_flight() const { return state_->works.size() + state_->spawned.size(); }

}  // namespace berth::rest
