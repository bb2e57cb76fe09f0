#include "cli/streams.hpp"

#include "cli/names.hpp"
#include "cli/output/text.hpp"
#include "cli/pump.hpp"
#include "cli/terminal.hpp"

#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <functional>
#include <memory>
#include <optional>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace berth::cli {
namespace {

/// How often the end of a command is asked for again when the daemon is away: commands outlive its restarts.
constexpr int kMostRetries = 60;
constexpr auto kRetryAfter = std::chrono::milliseconds(250);

/// Takes the signals that are meant for the command, until this object dies.
class Signals {
 public:
  Signals(rest::Loop& loop, std::function<void(int)> take) : take_(std::move(take)) {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGABRT, SIGTSTP, SIGTTIN, SIGTTOU, SIGUSR1,
                             SIGUSR2, SIGSEGV, SIGCONT})
      sigaddset(&set, number);
    ::pthread_sigmask(SIG_BLOCK, &set, &before_);
    fd_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    watch_ = loop.watch(fd_.get(), POLLIN, [this] {
      signalfd_siginfo info{};
      while (::read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info))
        take_(static_cast<int>(info.ssi_signo));
    });
  }
  ~Signals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  std::function<void(int)> take_;
  sigset_t before_{};
  UniqueFd fd_;
  std::unique_ptr<rest::Loop::Watch> watch_;
};

/// Asks for the end of an operation on the loop, and again when the daemon was away.
class End {
 public:
  End(Server& server, std::string operation) : server_(server), operation_(std::move(operation)) { ask(); }
  bool known() const noexcept { return response_.has_value(); }
  Result<Json> operation() const { return metadata(*response_); }

 private:
  void ask() {
    rest::Request request;
    request.method = "GET";
    request.target = server_.in_project("/1.0/operations/" + operation_ + "/wait");
    server_.transport().handle(std::move(request), [this](rest::Response response) {
      if (response.status == 503 && retries_++ < kMostRetries)
        retry_ = server_.loop().after(kRetryAfter, [this] { ask(); });
      else
        response_ = std::move(response);
    });
  }

  Server& server_;
  std::string operation_;
  std::optional<rest::Response> response_;
  std::unique_ptr<rest::Loop::Watch> retry_;
  int retries_ = 0;
};

struct Started {
  std::string operation;
  std::shared_ptr<rest::ExecSession> session;
};

Result<Started> start(Server& server, const std::string& target, const Json& body) {
  rest::Request request;
  request.method = "POST";
  request.target = target;
  request.body = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  auto response = server.call(std::move(request));
  BERTH_TRY(const auto operation, metadata(response));
  if (!response.session) return Error{Code::Internal, "the daemon gave no streams"};
  return Started{.operation = text_of(operation, "id"), .session = std::move(response.session)};
}

/// The exit status in an ended exec's operation.
Result<int> exit_status(const Json& operation) {
  const auto& details = child_of(operation, "metadata");
  const auto& status = child_of(details, "return");
  const int code = status.is_number() ? status.get<int>() : -1;
  const auto ended = ended_well(operation);
  // A command that was not there has a status as well as a reason.
  if (!ended && code > 0) complain("Error: " + printable_lines(ended.error().message));
  if (code >= 0) return code;
  if (!ended) return ended.error();
  return Error{Code::Internal, "the command ended without an exit status"};
}

void follow_window(Server& server, const std::shared_ptr<rest::ExecSession>& session) {
  const auto size = terminal_size(STDOUT_FILENO);
  if (size.width != 0) server.transport().resize(session, size.width, size.height);
}

}  // namespace

Result<int> run_command(Server& server, const std::string& instance, const Json& body, bool no_input) {
  ::signal(SIGPIPE, SIG_IGN);  // NOLINT: a broken pipe is an error of its own write
  BERTH_TRY(auto started, start(server, api_path("instances", instance) + "/exec", body));
  auto& session = *started.session;
  Signals signals(server.loop(), [&](int number) {
    if (number == SIGWINCH) return follow_window(server, started.session);
    server.transport().signal(started.session, number);
  });
  std::optional<RawMode> raw;
  std::optional<Pump> input, output, errors;
  if (session.interactive()) {
    raw.emplace(STDIN_FILENO);
    auto terminal = session.take("0");
    UniqueFd other(::fcntl(terminal.get(), F_DUPFD_CLOEXEC, 3));
    output.emplace(std::move(other), STDOUT_FILENO, Pump::AtStop::Drain);
    if (!no_input)
      input.emplace(STDIN_FILENO, std::move(terminal), Pump::AtStop::Leave, [](std::string_view) { return true; });
    follow_window(server, started.session);
  } else {
    auto in = session.take("0");
    output.emplace(session.take("1"), STDOUT_FILENO, Pump::AtStop::Drain);
    errors.emplace(session.take("2"), STDERR_FILENO, Pump::AtStop::Drain);
    if (!no_input) input.emplace(STDIN_FILENO, std::move(in), Pump::AtStop::Leave);
  }
  BERTH_CHECK(server.transport().begin(started.session));
  End end(server, started.operation);
  server.loop().run_until([&] { return end.known(); });
  input.reset();
  output.reset();
  errors.reset();
  raw.reset();
  BERTH_TRY(const auto operation, end.operation());
  return exit_status(operation);
}

Result<int> attach_console(Server& server, const std::string& instance) {
  if (!is_terminal(STDIN_FILENO))
    return Error{Code::FailedPrecondition, "the console wants a terminal as standard input"};
  ::signal(SIGPIPE, SIG_IGN);  // NOLINT
  const auto size = terminal_size(STDOUT_FILENO);
  BERTH_TRY(auto started, start(server, api_path("instances", instance) + "/console",
                                Json{{"type", "console"}, {"width", size.width}, {"height", size.height}}));
  auto& session = *started.session;
  BERTH_CHECK(server.transport().begin(started.session));
  print("To detach from the console, press: <ctrl>+a q\r\n");
  BERTH_CHECK(flush_output());
  Signals signals(server.loop(), [&](int number) {
    if (number == SIGWINCH) follow_window(server, started.session);
  });
  const RawMode raw(STDIN_FILENO);
  auto terminal = session.take("0");
  UniqueFd other(::fcntl(terminal.get(), F_DUPFD_CLOEXEC, 3));
  Pump output(std::move(other), STDOUT_FILENO, Pump::AtStop::Leave);
  Pump input(STDIN_FILENO, std::move(terminal), Pump::AtStop::Leave, [escape = false](std::string_view typed) mutable {
    for (const char c : typed) {
      if (escape && c == 'q') return false;
      escape = c == '\x01';
    }
    return true;
  });
  bool over = false;
  auto& loop = server.loop();
  const auto hung_up = loop.watch(output.ended_fd(), POLLIN, [&over] { over = true; });
  const auto detached = loop.watch(input.ended_fd(), POLLIN, [&over] { over = true; });
  loop.run_until([&over] { return over; });
  session.hang_up();
  return 0;
}

}  // namespace berth::cli
