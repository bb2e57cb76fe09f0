#include <utility>

#include "rest-bridge/api/api.hpp"
#include "rest-bridge/api/envelope.hpp"

namespace berth::rest {

struct Client::State {
  PollLoop loop;
  std::unique_ptr<Bus> bus;
  std::unique_ptr<Api> api;
};

Result<std::unique_ptr<Client>> Client::connect() {
  auto state = std::make_unique<State>();
  BERTH_TRY(auto bus, Bus::open(state->loop));
  state->bus = std::move(bus);
  state->api = std::make_unique<Api>(*state->bus);
  return std::unique_ptr<Client>(new Client(std::move(state)));
}

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}
Client::~Client() = default;

Response Client::call(Request request) {
  std::optional<Response> answer;
  state_->api->handle(std::move(request), [&answer](Response response) { answer = std::move(response); });
  state_->loop.run_until([&] { return answer.has_value() || !state_->bus->alive(); });
  if (answer) return std::move(*answer);
  // Nobody will call back any more: the requests in flight die with the Api.
  state_->api = std::make_unique<Api>(*state_->bus);
  return error_answer(Error{Code::Unavailable, "the system bus went away"});
}

Response Client::call(std::string method, std::string target, std::string json) {
  Request request;
  request.method = std::move(method);
  request.target = std::move(target);
  request.body = std::move(json);
  return call(std::move(request));
}

Response Client::wait(Response accepted) {
  const auto location = std::string(accepted.headers.get("Location"));
  if (accepted.status != 202 || location.empty()) return accepted;
  return call("GET", location + "/wait");
}

Result<void> Client::begin(const std::shared_ptr<ExecSession>& session) {
  std::optional<Result<void>> end;
  state_->api->begin(session, [&end](Result<void> result) { end = std::move(result); });
  state_->loop.run_until([&] { return end.has_value() || !state_->bus->alive(); });
  if (end) return *end;
  state_->api = std::make_unique<Api>(*state_->bus);
  return Error{Code::Unavailable, "the system bus went away"};
}

Result<void> Client::signal(const std::shared_ptr<ExecSession>& session, int number) {
  std::optional<Result<void>> end;
  state_->api->signal(session, number, [&end](Result<void> result) { end = std::move(result); });
  state_->loop.run_until([&] { return end.has_value() || !state_->bus->alive(); });
  if (end) return *end;
  state_->api = std::make_unique<Api>(*state_->bus);
  return Error{Code::Unavailable, "the system bus went away"};
}

PollLoop& Client::loop() { return state_->loop; }
Api& Client::api() { return *state_->api; }

Result<std::string> metadata_of(const Response& response) {
  const auto json = Json::parse(response.text(), nullptr, false);
  if (!json.is_object()) return Error{Code::Internal, "the answer is not the API's"};
  if (response.status < 400) return json.contains("metadata") ? dump(json["metadata"]) : std::string("null");
  auto code = Code::Internal;
  for (const auto& row : kErrorTable)
    if (row.http_status == response.status) {
      code = row.code;
      break;
    }
  return Error{code, json.value("error", "the request failed")};
}

}  // namespace berth::rest
