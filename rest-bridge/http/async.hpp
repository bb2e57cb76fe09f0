#pragma once

#include <utility>  // Boost 1.81 uses std::exchange without it

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>

#include "rest-bridge/http/socket.hpp"

namespace berth::rest {

/// A function that reports by one callback.
template <typename T>
using Starter = std::function<void(std::function<void(T)>)>;

/// Waits for `start` to report. The callback may come at once or from the loop; the coroutine goes on from the loop. Only
/// the first call counts. Give it a named Starter: GCC 12 destroys the captures of a lambda twice when the lambda is
/// made inside the awaiting expression.
template <typename T>
asio::awaitable<T> call_back(Starter<T> start) {
  const auto result = co_await asio::async_initiate<decltype(asio::use_awaitable), void(std::shared_ptr<T>)>(
      [](auto handler, Starter<T> begin) {
        // Handlers of asio can be moved only, std::function wants copies.
        auto held = std::make_shared<decltype(handler)>(std::move(handler));
        auto used = std::make_shared<bool>(false);
        begin([held, used](T value) {
          if (std::exchange(*used, true)) return;
          const auto executor = asio::get_associated_executor(*held);
          asio::post(executor, [held, given = std::make_shared<T>(std::move(value))] { (*held)(given); });
        });
      },
      asio::use_awaitable, std::move(start));
  co_return std::move(*result);
}

}  // namespace berth::rest
