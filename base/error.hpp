#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace berth {

/// The closed set of failure kinds. Every program of Berth uses these and no others; the table below is the only
/// place that knows how each is spelled on D-Bus and over HTTP.
enum class Code {
  InvalidArgument,
  FailedPrecondition,
  AccessDenied,
  NotFound,
  AlreadyExists,
  Busy,
  Cancelled,
  RevisionMismatch,
  LimitsExceeded,
  NotSupported,
  Unavailable,
  Internal,
};

/// A failure as a value: what kind it is, and one sentence for the person who asked (which object, what to do).
struct [[nodiscard]] Error {
  Code code = Code::Internal;
  std::string message;

  /// The same failure with `context` in front, for adding what was being done on the way up.
  Error within(std::string_view context) && {
    message = std::string(context) + ": " + message;
    return std::move(*this);
  }
};

/// One row of the error table.
struct ErrorRow {
  Code code;
  std::string_view dbus_name;  ///< full D-Bus error name
  int http_status;             ///< status line of a REST answer (Cancelled: the operation's status code)
};

inline constexpr std::array<ErrorRow, 12> kErrorTable{{
    {Code::InvalidArgument, "org.berth.Berth1.Error.InvalidArgument", 400},
    {Code::FailedPrecondition, "org.berth.Berth1.Error.FailedPrecondition", 400},
    {Code::AccessDenied, "org.berth.Berth1.Error.AccessDenied", 403},
    {Code::NotFound, "org.berth.Berth1.Error.NotFound", 404},
    {Code::AlreadyExists, "org.berth.Berth1.Error.AlreadyExists", 409},
    {Code::Busy, "org.berth.Berth1.Error.Busy", 409},
    {Code::Cancelled, "org.berth.Berth1.Error.Cancelled", 401},
    {Code::RevisionMismatch, "org.berth.Berth1.Error.RevisionMismatch", 412},
    {Code::LimitsExceeded, "org.berth.Berth1.Error.LimitsExceeded", 429},
    {Code::NotSupported, "org.berth.Berth1.Error.NotSupported", 501},
    {Code::Unavailable, "org.berth.Berth1.Error.Unavailable", 503},
    {Code::Internal, "org.berth.Berth1.Error.Internal", 500},
}};

/// The row of `code`. Total: the table covers the enumeration.
constexpr const ErrorRow& error_row(Code code) {
  for (const auto& row : kErrorTable)
    if (row.code == code) return row;
  return kErrorTable.back();
}

/// The code behind a D-Bus error name; a name that is not ours (a bus driver's, sd-bus's) is `fallback`.
constexpr Code code_from_dbus(std::string_view name, Code fallback = Code::Internal) {
  for (const auto& row : kErrorTable)
    if (row.dbus_name == name) return row.code;
  return fallback;
}

/// An Internal error that carries `errno`'s text: "cannot open /x: No such file or directory".
/// `saved_errno` is taken by value, so pass `errno` directly.
Error system_error(std::string_view what, int saved_errno);

}  // namespace berth
