#include "cli/progress.hpp"

#include "cli/output/text.hpp"
#include "cli/server.hpp"
#include "cli/terminal.hpp"

#include <cstdio>
#include <cstdlib>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace berth::cli {

Progress::Progress(Server& server, std::string operation, std::string what)
    : server_(server), operation_(std::move(operation)), what_(std::move(what)) {
  if (what_.empty()) return;
  sigset_t interrupt;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &interrupt, &before_);
  signals_.reset(::signalfd(-1, &interrupt, SFD_CLOEXEC | SFD_NONBLOCK));
  watch_ = server_.loop().watch(signals_.get(), POLLIN, [this] { interrupted(); });
  if (server_.globals().quiet || !is_terminal(STDERR_FILENO)) return;
  rest::Request request;
  request.method = "GET";
  request.target = "/1.0/events?type=operation";
  request.upgrade = true;
  auto response = server_.call(std::move(request));
  auto* const stream = std::get_if<rest::Stream>(&response.body);
  if (!stream || !stream->events) return;
  events_ = std::move(stream->events);
  events_->on_event([this](std::string_view event) { show(event); }, [] {});
}

Progress::~Progress() {
  if (shown_ != 0) std::fprintf(stderr, "\r%*s\r", static_cast<int>(shown_), "");
  if (!signals_) return;
  watch_.reset();
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void Progress::show(std::string_view event) {
  auto line = progress_line(event, operation_, what_);
  if (line.empty()) return;
  const auto width = terminal_size(STDERR_FILENO).width;
  if (width > 1 && line.size() >= width) line.resize(width - 1);
  const auto cells = display_width(line);
  std::fprintf(stderr, "\r%s%*s", line.c_str(), static_cast<int>(shown_ > cells ? shown_ - cells : 0), "");
  std::fflush(stderr);
  shown_ = cells;
}

void Progress::interrupted() {
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) > 0) ++interrupts_;
  if (interrupts_ >= 3) {
    complain("\nError: Interrupted three times; the operation goes on without this program");
    std::_Exit(1);
  }
  rest::Request request;
  request.method = "DELETE";
  request.target = server_.in_project("/1.0/operations/" + operation_);
  server_.transport().handle(std::move(request), [](const rest::Response& response) {
    if (const auto told = metadata(response); !told)
      complain("\n" + printable(told.error().message) + " (interrupt again to end this program all the same)");
  });
}

std::string progress_line(std::string_view event, const std::string& operation, const std::string& what) {
  const auto json = Json::parse(event, nullptr, false);
  const auto& object = child_of(json, "metadata");
  if (text_of(json, "type") != "operation" || text_of(object, "id") != operation) return {};
  const auto& details = child_of(object, "metadata");
  if (!details.is_object()) return {};
  for (const auto& [name, value] : details.items())
    if (name.ends_with("_progress") && value.is_string()) return what + ": " + printable(value.get<std::string>());
  return {};
}

}  // namespace berth::cli
