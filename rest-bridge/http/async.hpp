#pragma once

#include <utility>  // Boost 1.81 uses std::exchange without it

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <utility>

#include "rest-bridge/http/socket.hpp"

namespace berth::rest {

/// Waits for a function that reports by one callback: `co_await call_back<int>([](auto done) { later(done); })`.
/// The callback may come at once or from the loop; the coroutine goes on from the loop. Only the first call counts.
template <typename T, typename Start>
asio::awaitable<T> call_back(Start start) {
  const auto result = co_await asio::async_initiate<decltype(asio::use_awaitable), void(std::shared_ptr<T>)>(
      [](auto handler, Start begin) {
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
