#pragma once

#include <sdbus-c++/sdbus-c++.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "base/result.hpp"
#include "daemon/bus/access_table.hpp"
#include "daemon/bus/call.hpp"
#include "daemon/bus/document_variant.hpp"
#include "daemon/bus/event_loop.hpp"
#include "daemon/bus/message_size.hpp"
#include "daemon/bus/principals.hpp"
#include "daemon/ports/authority.hpp"
#include "daemon/services/worker_pool.hpp"

namespace berth::bus {

/// An error of ours as the bus sends it.
sdbus::Error to_bus_error(const Error& error);

/// The way of every method call: the access table, the principal, the authority, then the handler on a worker with its own
/// copy of the request, then the answer from the loop. There is no other way to a service. Loop thread only.
class Guard {
 public:
  Guard(EventLoop& loop, Principals& principals, ports::Authority& authority, services::WorkerPool& workers)
      : loop_(loop), principals_(principals), authority_(authority), workers_(workers) {
    principals_.on_gone([this](const std::string& name) { forget_views(name); });
  }

  /// Answers `reply` with what `handler(const Principal&)` gives: Result<void>, Result<T>, or Result<std::tuple<T...>> where
  /// the member has several results. The handler runs on a worker, or never; an exception in it is an Internal error.
  template <typename... Out, typename Handler>
  void run(Call call, sdbus::Result<Out...>&& reply, Handler handler) {
    serve(std::move(call), Where::Worker, std::move(reply), std::move(handler));
  }
  /// The same for a handler that never blocks and works on what belongs to the loop.
  template <typename... Out, typename Handler>
  void run_on_loop(Call call, sdbus::Result<Out...>&& reply, Handler handler) {
    serve(std::move(call), Where::Loop, std::move(reply), std::move(handler));
  }

  /// polkit's rules or its temporary authorizations changed: nothing that was remembered holds.
  void authorizations_changed();

  /// From now on every call is Unavailable: the daemon is ending. Those under way go on.
  void close() { closed_ = true; }
  /// Calls that wait for their answer.
  std::size_t pending() const noexcept { return pending_; }

 private:
  enum class Where { Worker, Loop };
  using Deliver = std::function<void()>;
  using Work = std::function<Deliver(const Principal&)>;
  using Refuse = std::function<void(const Error&)>;
  template <typename... Out, typename Handler>
  void serve(Call call, Where where, sdbus::Result<Out...>&& reply, Handler handler);
  void admit(Call call, Where where, Work work, Refuse refuse);
  void judge(const Call& call, const AccessRow& row, const Principal& who, std::function<void(bool)> then);
  void ask(const Call& call, std::string_view action, const Principal& who, std::function<void(bool)> then);
  void start(const AccessRow& row, Where where, const Principal& who, Work work);
  void forget_views(const std::string& name);

  EventLoop& loop_;
  Principals& principals_;
  ports::Authority& authority_;
  services::WorkerPool& workers_;
  std::size_t pending_ = 0;
  bool closed_ = false;
  using Clock = std::chrono::steady_clock;
  /// Connection and project to the end of a yes for `view`.
  std::map<std::pair<std::string, std::string>, Clock::time_point> views_;
  std::uint64_t generation_ = 0;
};

/// Sends the values as the reply. Loop thread; exceptions of sdbus-c++ (the caller is gone) pass.
template <typename... Out, typename Value>
void send_reply(const sdbus::Result<Out...>& reply, const Value& value) {
  static_assert(sizeof...(Out) <= kDescriptorLimit);
  std::size_t size = 0;
  if constexpr (sizeof...(Out) == 1) {
    size = message_size(value);
  } else {
    size = std::apply([](const auto&... each) { return (std::size_t{0} + ... + message_size(each)); }, value);
  }
  if (size > kMessageLimit)
    return reply.returnError(to_bus_error(
        Error{Code::LimitsExceeded, "the answer does not fit a bus message; ask for it with a Describe method"}));
  if constexpr (sizeof...(Out) == 1) {
    reply.returnResults(value);
  } else {
    std::apply([&](const auto&... each) { reply.returnResults(each...); }, value);
  }
}

template <typename... Out, typename Handler>
void Guard::serve(Call call, Where where, sdbus::Result<Out...>&& reply, Handler handler) {
  const auto answer = std::make_shared<sdbus::Result<Out...>>(std::move(reply));
  const auto body = std::make_shared<Handler>(std::move(handler));  // may hold what cannot be copied: descriptors
  admit(
      std::move(call), where,
      [answer, body](const Principal& who) -> Deliver {
        auto outcome = std::make_shared<std::invoke_result_t<Handler, const Principal&>>((*body)(who));
        return [answer, outcome] {
          if (!*outcome) return answer->returnError(to_bus_error(outcome->error()));
          if constexpr (sizeof...(Out) == 0) {
            answer->returnResults();
          } else {
            send_reply(*answer, **outcome);
          }
        };
      },
      [answer](const Error& error) { answer->returnError(to_bus_error(error)); });
}

}  // namespace berth::bus
