#pragma once

#include <cassert>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/error.hpp"

namespace berth {

/// A value or an Error. Converts from both, so `return value;` and `return Error{...};` read naturally.
template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)
  template <typename U>
    requires(std::is_convertible_v<U &&, T> && !std::is_same_v<std::remove_cvref_t<U>, T> &&
             !std::is_same_v<std::remove_cvref_t<U>, Error> && !std::is_same_v<std::remove_cvref_t<U>, Result>)
  Result(U&& value) : state_(std::in_place_index<0>, std::forward<U>(value)) {}  // NOLINT

  explicit operator bool() const noexcept { return state_.index() == 0; }
  bool has_value() const noexcept { return state_.index() == 0; }

  T& operator*() & { return get(); }
  const T& operator*() const& { return const_cast<Result*>(this)->get(); }
  T&& operator*() && { return std::move(get()); }
  T* operator->() { return &get(); }
  const T* operator->() const { return &const_cast<Result*>(this)->get(); }

  Error& error() & { return std::get<1>(state_); }
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

  /// The value, or `fallback` when this is an error.
  T value_or(T fallback) && { return *this ? std::move(get()) : std::move(fallback); }

 private:
  T& get() {
    assert(state_.index() == 0);
    return *std::get_if<0>(&state_);
  }
  std::variant<T, Error> state_;
};

/// Success, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  explicit operator bool() const noexcept { return !error_.has_value(); }
  bool has_value() const noexcept { return !error_.has_value(); }

  Error& error() & { return *error_; }
  const Error& error() const& { return *error_; }
  Error&& error() && { return std::move(*error_); }

 private:
  std::optional<Error> error_;
};

}  // namespace berth

#define BERTH_TRY_CONCAT_(a, b) a##b
#define BERTH_TRY_EXPAND_(a, b) BERTH_TRY_CONCAT_(a, b)
#define BERTH_TRY_NAME_(n) BERTH_TRY_EXPAND_(berth_try_, n)

/// Returns the error of `expression` from the enclosing function, or binds its value: `BERTH_TRY(const Fd fd, open(x));`
/// One use a line.
#define BERTH_TRY(declaration, expression)                                             \
  auto BERTH_TRY_NAME_(__LINE__) = (expression);                                       \
  if (!BERTH_TRY_NAME_(__LINE__)) return std::move(BERTH_TRY_NAME_(__LINE__)).error(); \
  declaration = *std::move(BERTH_TRY_NAME_(__LINE__))

/// The same for a Result<void>, whose success has nothing to bind.
#define BERTH_CHECK(expression) \
  if (auto berth_checked = (expression); !berth_checked) return std::move(berth_checked).error()
