#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/unique_fd.hpp"
#include "rest-bridge/api/call.hpp"
#include "rest-bridge/api/session.hpp"
#include "rest-bridge/api/sessions.hpp"

namespace berth::rest {

/// One client's event descriptor from the daemon, opened when it is first needed and read for as long as the client's
/// bus connection lives; waits and event streams listen to it. Loop thread only.
class Subscription {
 public:
  /// Called with each event in the API's form, or with nothing when the subscription has ended.
  using Listener = std::function<void(const Json*)>;
  using Listeners = std::list<Listener>;

  Subscription(Caller& caller, Sessions& sessions, std::string owner);

  /// Makes sure that events arrive.
  Task<Result<void>> open();
  /// Adds a listener; it ends with the handle, which may outlive the subscription.
  class Handle;
  std::shared_ptr<Handle> listen(Listener listener);

  /// Waits until operation `id` has ended; its object, or nothing when `timeout` is over first. Look at the operation
  /// between `listen` and waiting: see `Wait`.
  struct Wait;

 private:
  void read_events();
  void deliver(const Json* event);

  Caller& caller_;
  std::shared_ptr<Listeners> listeners_;
  std::unique_ptr<Sessions::Listener> local_;
  UniqueFd events_;
  std::unique_ptr<Loop::Watch> readable_;
};

/// Keeps a listener.
class Subscription::Handle {
 public:
  Handle(const std::shared_ptr<Listeners>& list, Listeners::iterator place) : list_(list), place_(place) {}
  ~Handle() {
    if (const auto list = list_.lock()) list->erase(place_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

 private:
  std::weak_ptr<Listeners> list_;
  Listeners::iterator place_;
};

/// Waits for the end of one operation. Make it first, then look at the operation, then `co_await` it.
struct Subscription::Wait {
  /// `timeout` < 0 waits for ever.
  Wait(Subscription& subscription, Loop& loop, std::string id, std::int64_t timeout_seconds);
  ~Wait();
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;

  enum class End { Finished, TimedOut, Lost };
  bool await_ready() const noexcept { return end_.has_value(); }
  void await_suspend(std::coroutine_handle<> waiting);
  End await_resume() const { return *end_; }
  /// The last object the events showed; null when none came.
  const Json& operation() const { return operation_; }

 private:
  void finish(End end);

  Loop& loop_;
  std::int64_t timeout_;
  Json operation_;
  std::optional<End> end_;
  std::coroutine_handle<> waiting_;
  std::shared_ptr<Handle> handle_;
  std::unique_ptr<Loop::Watch> timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

/// An event stream of the API: a filter and a bounded queue before a listener.
class FilteredEvents final : public EventStream, public std::enable_shared_from_this<FilteredEvents> {
 public:
  /// Empty `types` are all; an empty `project` is every project.
  FilteredEvents(std::set<std::string> types, std::string project) : types_(std::move(types)), project_(std::move(project)) {}
  void attach(Subscription& subscription);
  void on_event(std::function<void(std::string_view)> event, std::function<void()> ended) override;

 private:
  void take(const Json* event);

  std::set<std::string> types_;
  std::string project_;
  std::list<std::string> early_;
  bool over_ = false;
  std::function<void(std::string_view)> event_;
  std::function<void()> ended_;
  std::shared_ptr<Subscription::Handle> handle_;
};

}  // namespace berth::rest
