#include "cli/remote/http_transport.hpp"

#include "cli/certificate.hpp"
#include "cli/output/text.hpp"
#include "cli/remote/http_client.hpp"
#include "cli/remote/mailbox.hpp"
#include "cli/remote/wires.hpp"
#include "cli/server.hpp"
#include "rest-bridge/api/envelope.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <optional>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace berth::cli {
namespace {

namespace asio = boost::asio;
using Done = std::function<void(rest::Response)>;

/// A command has ended when its output has, too; but a process that it left behind may keep that open. Then it has when
/// nothing came for so long.
constexpr auto kQuiet = std::chrono::milliseconds(500);
constexpr std::size_t kMostEvents = 4096;

/// Events of a server. They wait here for their listener; one who does not listen is cut.
class RemoteEvents final : public rest::EventStream {
 public:
  void on_event(std::function<void(std::string_view)> event, std::function<void()> ended) override {
    event_ = std::move(event);
    ended_ = std::move(ended);
    for (const auto& text : std::exchange(waiting_, {})) event_(text);
    if (is_over_ && ended_) ended_();
  }
  void take(const std::string& text) {
    if (event_) return event_(text);
    if (waiting_.size() < kMostEvents) waiting_.push_back(text);
  }
  void end() {
    is_over_ = true;
    if (ended_) ended_();
  }

 private:
  std::function<void(std::string_view)> event_;
  std::function<void()> ended_;
  std::vector<std::string> waiting_;
  bool is_over_ = false;
};

/// Whose output has to be there before the end of its operation is told.
struct Running {
  std::shared_ptr<Wires> wires;
  bool is_over = false;
  std::function<void()> waiting;
  std::unique_ptr<rest::Loop::Watch> deadline;
};

/// `/1.0/operations/ID/wait`: the ID.
std::string waited_operation(const std::string& target) {
  const std::string prefix = "/1.0/operations/";
  const auto path = target.substr(0, target.find('?'));
  if (!path.starts_with(prefix) || !path.ends_with("/wait")) return {};
  return path.substr(prefix.size(), path.size() - prefix.size() - 5);
}

bool makes_session(const rest::Request& request) {
  const auto path = request.target.substr(0, request.target.find('?'));
  return request.method == "POST" && (path.ends_with("/exec") || path.ends_with("/console"));
}

class HttpTransport final : public Transport {
 public:
  explicit HttpTransport(Destination destination)
      : mailbox_(loop_), client_(std::move(destination)), work_(io_.get_executor()) {
    // Signals are for the thread of the loop, which passes them on: here they would end the program.
    sigset_t all, before;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { io_.run(); });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  ~HttpTransport() override {
    io_.stop();
    thread_.join();
  }
  HttpTransport(const HttpTransport&) = delete;
  HttpTransport& operator=(const HttpTransport&) = delete;

  void handle(rest::Request request, Done done) override {
    if (request.upgrade) return subscribe(request.target, std::move(done));
    if (const auto id = waited_operation(request.target); running_.contains(id))
      done = [this, id, last = std::move(done)](rest::Response response) {
        after_output(id, std::move(response), last);
      };
    const bool session = makes_session(request);
    auto letter = std::make_shared<rest::Request>(std::move(request));
    asio::co_spawn(
        io_,
        [this, letter, session, done = std::move(done)]() -> asio::awaitable<void> {
          auto response = std::make_shared<rest::Response>(co_await client_.call(std::move(*letter)));
          mailbox_.post([this, response, session, done] {
            if (session && response->status == 202) open_session(*response);
            done(std::move(*response));
          });
        },
        asio::detached);
  }

  rest::Response call(rest::Request request) override {
    std::optional<rest::Response> answer;
    handle(std::move(request), [&answer](rest::Response response) { answer = std::move(response); });
    loop_.run_until([&answer] { return answer.has_value(); });
    return std::move(*answer);
  }

  Result<void> begin(const std::shared_ptr<rest::ExecSession>& session) override {
    const auto found = running_.find(session->operation_id());
    if (found == running_.end()) return {};
    std::optional<std::string> end;
    asio::co_spawn(
        io_,
        [this, &end, wires = found->second.wires]() -> asio::awaitable<void> {
          std::string failure;
          try {
            co_await wires->connect();
          } catch (const std::exception& error) {
            failure = error.what();
          }
          mailbox_.post([&end, failure] { end = failure; });
        },
        asio::detached);
    loop_.run_until([&end] { return end.has_value(); });
    if (end->empty()) return {};
    return Error{Code::Unavailable, "cannot connect the streams of the command: " + *end};
  }

  void signal(const std::shared_ptr<rest::ExecSession>& session, int number) override {
    control(session, Json{{"command", "signal"}, {"signal", number}});
  }
  void resize(const std::shared_ptr<rest::ExecSession>& session, unsigned width, unsigned height) override {
    control(session, Json{{"command", "window-resize"},
                          {"args", {{"width", std::to_string(width)}, {"height", std::to_string(height)}}}});
  }
  rest::PollLoop& loop() override { return loop_; }

 private:
  void control(const std::shared_ptr<rest::ExecSession>& session, const Json& message) {
    const auto found = running_.find(session->operation_id());
    if (found == running_.end()) return;
    asio::post(io_, [wires = found->second.wires, text = message.dump()] { wires->control(text); });
  }

  /// Makes the streams that an exec's answer promises.
  void open_session(rest::Response& response) {
    const auto envelope = Json::parse(response.text(), nullptr, false);
    const auto& operation = child_of(envelope, "metadata");
    const auto& fds = child_of(child_of(operation, "metadata"), "fds");
    const auto id = text_of(operation, "id");
    std::map<std::string, std::string> secrets;
    if (fds.is_object())
      for (const auto& [name, secret] : fds.items())
        if (secret.is_string()) secrets[name] = secret.get<std::string>();
    if (id.empty() || !secrets.contains("0")) return;
    std::map<std::string, UniqueFd> here, there;
    for (const std::string name : {"0", "1", "2"}) {
      if (!secrets.contains(name)) continue;
      std::array<int, 2> pair{};
      if (secrets.contains("1") ? ::pipe2(pair.data(), O_CLOEXEC) != 0
                                : ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0)
        return;
      const bool is_input = name == "0";
      here[name].reset(pair[is_input ? 1 : 0]);
      there[name].reset(pair[is_input ? 0 : 1]);
    }
    auto& running = running_[id];
    running.wires = std::make_shared<Wires>(client_.destination(), id, std::move(secrets), std::move(there),
                                            [this, id] { mailbox_.post([this, id] { output_ended(id); }); });
    response.session = std::make_shared<rest::ExecSession>(id, std::move(here), true);
  }

  void output_ended(const std::string& id) {
    auto& running = running_[id];
    running.is_over = true;
    if (running.waiting) std::exchange(running.waiting, nullptr)();
  }

  void after_output(const std::string& id, rest::Response response, const Done& done) {
    auto& running = running_[id];
    if (running.is_over || response.status == 503) return done(std::move(response));
    auto answer = std::make_shared<rest::Response>(std::move(response));
    running.waiting = [answer, done] { done(std::move(*answer)); };
    wait_for_quiet(id, running.wires->carried());
  }

  void wait_for_quiet(const std::string& id, std::uint64_t before) {
    running_[id].deadline = loop_.after(kQuiet, [this, id, before] {
      auto& running = running_[id];
      if (running.is_over) return;
      const auto now = running.wires->carried();
      if (now == before) return output_ended(id);
      wait_for_quiet(id, now);
    });
  }

  void subscribe(const std::string& target, Done done) {
    auto events = std::make_shared<RemoteEvents>();
    const std::weak_ptr<RemoteEvents> listener = events;
    const auto began = [this, events, done = std::move(done)](int status, std::string text) mutable {
      mailbox_.post([events = std::exchange(events, nullptr), done, status, text = std::move(text)] {
        rest::Response response;
        response.status = status;
        if (status == 101)
          response.body = rest::Stream{.session = nullptr, .name = {}, .events = events};
        else if (text.starts_with('{'))
          response.body = text;
        else
          response = rest::error_answer(Error{Code::Unavailable, "cannot reach the server: " + text});
        done(std::move(response));
      });
    };
    const auto event = [this, listener](std::string text) {
      mailbox_.post([listener, text = std::move(text)] {
        if (const auto stream = listener.lock()) stream->take(text);
      });
      return !listener.expired();
    };
    const auto ended = [this, listener] {
      mailbox_.post([listener] {
        if (const auto stream = listener.lock()) stream->end();
      });
    };
    asio::co_spawn(io_, read_events(client_.destination(), target, began, event, ended), asio::detached);
  }

  rest::PollLoop loop_;
  Mailbox mailbox_;
  asio::io_context io_{1};
  HttpClient client_;
  std::map<std::string, Running> running_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::thread thread_;
};

/// Who the user is, made when nobody has asked before.
Result<ClientIdentity> identity_of(const Configuration& configuration) {
  const auto certificate_path = configuration.folder() + "/client.crt";
  const auto key_path = configuration.folder() + "/client.key";
  auto certificate = read_configuration_file(certificate_path);
  auto key = read_configuration_file(key_path);
  if (certificate && key) return ClientIdentity{.certificate = *std::move(certificate), .key = *std::move(key)};
  for (const auto* read : {&certificate, &key})
    if (!*read && read->error().code != Code::NotFound) return read->error();
  BERTH_TRY(auto made, make_client_identity());
  BERTH_CHECK(write_configuration_file(key_path, made.key, 0600));
  BERTH_CHECK(write_configuration_file(certificate_path, made.certificate, 0644));
  return made;
}

/// The file of the one authority that the user believes, when there is one.
std::string authority_of(const Configuration& configuration) {
  auto path = configuration.folder() + "/client.ca";
  return ::access(path.c_str(), R_OK) == 0 ? path : std::string();
}

}  // namespace

Result<std::unique_ptr<Transport>> http_transport(const Configuration& configuration, const std::string& name) {
  BERTH_TRY(const auto* const remote, configuration.find(name));
  if (remote->protocol != "lxd")
    return Error{Code::NotSupported, "The remote \"" + printable(name) + "\" has the protocol " + printable(remote->protocol) +
                                         ", which Berth does not speak"};
  Destination destination;
  if (remote->address.starts_with("unix:")) {
    destination.socket_path = remote->address.substr(5);
    while (destination.socket_path.starts_with("//")) destination.socket_path.erase(0, 1);
  } else {
    BERTH_TRY(destination, parse_https(remote->address));
    BERTH_TRY(auto identity, identity_of(configuration));
    destination.certificate = std::move(identity.certificate);
    destination.key = std::move(identity.key);
    auto pinned = read_configuration_file(configuration.certificate_path(name));
    if (!pinned && pinned.error().code != Code::NotFound) return std::move(pinned).error();
    if (pinned) destination.pinned = *std::move(pinned);
    destination.authority = authority_of(configuration);
  }
  return std::unique_ptr<Transport>(std::make_unique<HttpTransport>(std::move(destination)));
}

Result<std::unique_ptr<Transport>> anonymous_http_transport(const Configuration& configuration, const std::string& address) {
  BERTH_TRY(auto destination, parse_https(address));
  destination.authority = authority_of(configuration);
  return std::unique_ptr<Transport>(std::make_unique<HttpTransport>(std::move(destination)));
}

}  // namespace berth::cli
