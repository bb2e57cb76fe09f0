#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "rest-bridge/api/bus.hpp"
#include "rest-bridge/api/message.hpp"
#include "rest-bridge/api/poll_loop.hpp"

namespace berth::rest {

class Sessions;

/// What is known of the client beside its rights.
struct ClientInfo {
  bool tls = false;
  std::string certificate;  ///< DER of the certificate that a TLS client showed; empty when it showed none
  std::string address;      ///< where a TLS client comes from, without the port
};

/// The LXD API over D-Bus: takes a request, makes the D-Bus calls it stands for on one bus connection, and gives the
/// answer with its envelope, headers and status code, as LXD 5.0.2 would. It knows no socket and no HTTP framing.
/// Every call is made with the rights of whoever `bus` belongs to.
class Api {
 public:
  using Done = std::function<void(Response)>;

  /// `bus` outlives the Api. `sessions` is where execs wait for their websockets: the bridge has one for all of its
  /// connections, since a client connects its websockets anew; without it the Api has one of its own. `owner` names the
  /// client ("unix:1000"): the secrets of an exec are shown to requests of the same owner alone.
  explicit Api(Bus& bus, std::shared_ptr<Sessions> sessions = nullptr, std::string owner = {}, ClientInfo client = {});
  ~Api();
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  /// Answers `request` by calling `done` exactly once, on the loop, never from inside this call. When the Api dies
  /// first, requests in flight are dropped without an answer. At most 100 are worked on at once; more get 503.
  void handle(Request request, Done done);

  /// Runs the command of a session whose streams are connected; nothing for a console or the second time.
  void begin(const std::shared_ptr<ExecSession>& session, std::function<void(Result<void>)> done);
  /// Sends a signal to the command of a session.
  void signal(const std::shared_ptr<ExecSession>& session, int number, std::function<void(Result<void>)> done);

  /// Requests that have no answer yet.
  std::size_t in_flight() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// The command line's way to the daemon of this machine: a bus connection, a loop and an Api in one, synchronous.
///
///     auto client = Client::connect();                                      // Result<std::unique_ptr<Client>>
///     Response list = (*client)->call("GET", "/1.0/instances?recursion=2&filter=");
///     Response made = (*client)->call("PUT", "/1.0/instances/web/state", R"({"action":"start"})");
///     Response end  = (*client)->wait(made);                                // GET .../wait of a 202
///
/// Exec without any websocket: POST /1.0/instances/web/exec with "wait-for-websocket": true; `Response::session` then
/// has the descriptors. Take them, `client->begin(session)`, pump them with watches on `client->loop()` (the loop also
/// keeps the bus alive), and read the exit code as `metadata.return` of the operation.
/// Console: POST /1.0/instances/web/console, the same. Events: GET /1.0/events?type=... with `Request::upgrade`; the
/// answer's body is a Stream whose `events` calls back while `loop()` runs.
class Client {
 public:
  /// Errors: Unavailable when there is no system bus.
  static Result<std::unique_ptr<Client>> connect();
  ~Client();

  /// Makes one request and runs the loop until its answer is there. Failures to reach the daemon are answers, too
  /// (503 with the error envelope).
  Response call(Request request);
  Response call(std::string method, std::string target, std::string json = {});
  /// Waits for the operation that `accepted` (a 202) announces; the answer of `.../wait`. Other answers come back as
  /// they are, so that one line does for synchronous and asynchronous requests.
  Response wait(Response accepted);
  /// Runs a deferred exec.
  Result<void> begin(const std::shared_ptr<ExecSession>& session);
  /// Sends a signal to the command of an exec.
  Result<void> signal(const std::shared_ptr<ExecSession>& session, int number);

  PollLoop& loop();
  Api& api();

 private:
  struct State;
  explicit Client(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// What an answer says, for a caller that wants the value and not the envelope: the text of `metadata` (JSON), or the
/// error with its code (404 is NotFound, and so on).
Result<std::string> metadata_of(const Response& response);

}  // namespace berth::rest
