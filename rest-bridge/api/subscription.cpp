#include "rest-bridge/api/subscription.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "base/object_path.hpp"
#include "rest-bridge/api/envelope.hpp"
#include "rest-bridge/api/rows.hpp"

namespace berth::rest {
namespace {

constexpr std::size_t kLargestEvent = 4U * 1024U * 1024U;
/// Packets read in one turn of the loop, so that others have theirs.
constexpr int kPacketsAtOnce = 64;
constexpr std::size_t kMostEarlyEvents = 1024;

bool is_final(const Json& operation) {
  const auto code = operation.find("status_code");
  return code != operation.end() && code->is_number_integer() && code->get<int>() >= 200;
}

}  // namespace

Subscription::Subscription(Caller& caller, Sessions& sessions, std::string owner)
    : caller_(caller), listeners_(std::make_shared<Listeners>()) {
  local_ = sessions.listen(std::move(owner), [this](Json event) {
    const auto shown = event_to_api(std::move(event));
    deliver(&shown);
  });
}

Task<Result<void>> Subscription::open() {
  if (events_) co_return Result<void>();
  Call call{.path = std::string(kRootPath), .interface = "Manager", .member = "Subscribe", .arguments = {}};
  call.arguments.emplace_back(Options());
  BERTH_CO_TRY(Reply reply, co_await caller_.call(std::move(call)));
  if (events_) co_return Result<void>();  // somebody else was faster
  if (reply.fds.empty()) co_return Error{Code::Internal, "the daemon gave no event descriptor"};
  events_ = reply.take_fd(0);
  readable_ = caller_.bus().loop().watch(events_.get(), POLLIN, [this] { read_events(); });
  co_return Result<void>();
}

std::shared_ptr<Subscription::Handle> Subscription::listen(Listener listener) {
  listeners_->push_back(std::move(listener));
  return std::make_shared<Handle>(listeners_, std::prev(listeners_->end()));
}

void Subscription::read_events() {
  for (int packet = 0; packet < kPacketsAtOnce; ++packet) {
    const auto size = ::recv(events_.get(), nullptr, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size <= 0 || static_cast<std::size_t>(size) > kLargestEvent) {
      readable_.reset();
      events_.reset();
      deliver(nullptr);
      return;
    }
    std::string text(static_cast<std::size_t>(size), '\0');
    if (::recv(events_.get(), text.data(), text.size(), MSG_DONTWAIT) != size) continue;
    auto event = Json::parse(text, nullptr, false);
    if (!event.is_object()) {
      log::warning("the daemon sent an event that is not a JSON object");
      continue;
    }
    const auto shown = event_to_api(std::move(event));
    deliver(&shown);
    if (!events_) return;
  }
}

void Subscription::deliver(const Json* event) {
  // A listener may add or end listeners, itself among them, so this goes over copies; each checks that it still lives.
  const auto list = listeners_;
  std::vector<Listener> copies(list->begin(), list->end());
  for (const auto& listener : copies) listener(event);
}

Subscription::Wait::Wait(Subscription& subscription, Loop& loop, std::string id, std::int64_t timeout_seconds)
    : loop_(loop), timeout_(timeout_seconds) {
  handle_ = subscription.listen([this, id = std::move(id), token = alive_](const Json* event) {
    if (!*token) return;
    if (!event) return finish(End::Lost);
    if (event->at("type") != "operation") return;
    const auto& metadata = event->at("metadata");
    if (!metadata.is_object() || metadata.value("id", "") != id) return;
    operation_ = metadata;
    if (is_final(metadata)) finish(End::Finished);
  });
}

Subscription::Wait::~Wait() { *alive_ = false; }

void Subscription::Wait::await_suspend(std::coroutine_handle<> waiting) {
  waiting_ = waiting;
  if (timeout_ >= 0)
    timer_ = loop_.after(std::chrono::seconds(timeout_), [this] { finish(End::TimedOut); });
}

void Subscription::Wait::finish(End end) {
  if (end_) return;
  end_ = end;
  if (!waiting_) return;
  loop_.post([token = alive_, waiting = waiting_] {
    if (*token) waiting.resume();
  });
}

void FilteredEvents::attach(Subscription& subscription) {
  handle_ = subscription.listen([weak = weak_from_this()](const Json* event) {
    if (const auto self = weak.lock()) self->take(event);
  });
}

void FilteredEvents::take(const Json* event) {
  if (over_) return;
  if (!event) {
    over_ = true;
    if (ended_) ended_();
    return;
  }
  const auto type = event->value("type", "");
  if (!types_.empty() && !types_.contains(type)) return;
  const auto project = event->value("project", "");
  if (!project_.empty() && !project.empty() && project != project_) return;
  auto text = dump(*event);
  if (event_) return event_(text);
  early_.push_back(std::move(text));
  if (early_.size() <= kMostEarlyEvents) return;
  over_ = true;
  early_.clear();
}

void FilteredEvents::on_event(std::function<void(std::string_view)> event, std::function<void()> ended) {
  event_ = std::move(event);
  ended_ = std::move(ended);
  for (const auto& text : std::exchange(early_, {})) event_(text);
  if (over_ && ended_) ended_();
}

}  // namespace berth::rest
