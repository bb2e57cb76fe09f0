#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace berth::rest {

/// A lazy coroutine that gives one value to the coroutine that awaits it. Whoever holds the Task owns the frame: when
/// it dies, everything it was waiting for is dropped. Tasks report failures as values; an exception that leaves one is
/// rethrown where it is awaited.
template <typename T>
class [[nodiscard]] Task {
 public:
  struct promise_type;
  using Handle = std::coroutine_handle<promise_type>;

  struct Final {
    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(Handle handle) const noexcept {
      const auto next = handle.promise().continuation;
      return next ? next : std::noop_coroutine();
    }
    void await_resume() const noexcept {}
  };

  struct promise_type {
    std::coroutine_handle<> continuation;
    std::optional<T> value;
    std::exception_ptr error;

    Task get_return_object() { return Task(Handle::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    Final final_suspend() noexcept { return {}; }
    void unhandled_exception() { error = std::current_exception(); }
    template <typename U>
    void return_value(U&& given) {
      value.emplace(std::forward<U>(given));
    }
  };

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      if (handle_) handle_.destroy();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept {
    handle_.promise().continuation = awaiting;
    return handle_;
  }
  T await_resume() {
    if (handle_.promise().error) std::rethrow_exception(handle_.promise().error);
    return std::move(*handle_.promise().value);
  }

  /// Starts a task that nobody awaits.
  void start() { handle_.resume(); }

 private:
  explicit Task(Handle handle) : handle_(handle) {}
  Handle handle_;
};

}  // namespace berth::rest

/// BERTH_TRY and BERTH_CHECK for coroutines.
#define BERTH_CO_TRY(declaration, expression)                                             \
  auto BERTH_TRY_NAME_(__LINE__) = (expression);                                          \
  if (!BERTH_TRY_NAME_(__LINE__)) co_return std::move(BERTH_TRY_NAME_(__LINE__)).error(); \
  declaration = *std::move(BERTH_TRY_NAME_(__LINE__))
#define BERTH_CO_CHECK(expression)                                                        \
  auto BERTH_TRY_NAME_(__LINE__) = (expression);                                          \
  if (!BERTH_TRY_NAME_(__LINE__)) co_return std::move(BERTH_TRY_NAME_(__LINE__)).error()
