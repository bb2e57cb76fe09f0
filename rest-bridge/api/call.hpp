#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "rest-bridge/api/bus.hpp"
#include "rest-bridge/api/task.hpp"

namespace berth::rest {

using Json = nlohmann::json;
using Strings = std::vector<std::string>;
using StringMap = std::map<std::string, std::string>;
using StringMaps = std::map<std::string, StringMap>;
using Bytes = std::vector<std::uint8_t>;

/// A descriptor as an argument: duplicated when the message is made, and the caller's to close.
struct Handle {
  int fd = -1;
};

struct Value;
using Options = std::map<std::string, Value>;

/// One variant of an `a{sv}`: s, b, x, t, u, as, a{ss}, a{sa{ss}}, a{sv}, h, ay.
struct Value {
  using Variant = std::variant<std::string, bool, std::int64_t, std::uint64_t, std::uint32_t, Strings, StringMap,
                               StringMaps, Options, Handle, Bytes>;
  Variant held;
  Value() = default;
  Value(const char* text) : held(std::string(text)) {}  // NOLINT: a literal must not become a bool
  template <typename T>
    requires std::is_constructible_v<Variant, T>
  Value(T given) : held(std::move(given)) {}  // NOLINT(google-explicit-constructor)
};

/// One argument of a method call.
using Argument = std::variant<std::string, Strings, StringMap, Options, Handle, std::int32_t, Bytes>;

/// One D-Bus method call on the daemon.
struct Call {
  std::string path;
  std::string interface;  ///< the last word: "Manager", "Instance"
  std::string member;
  std::vector<Argument> arguments;
};

/// The answer's arguments. Descriptors stand as their index in `fds`.
struct Reply {
  Json values = Json::array();
  std::vector<UniqueFd> fds;

  /// The text of argument `index` (s or o).
  const std::string& text(std::size_t index) const { return values.at(index).get_ref<const std::string&>(); }
  /// The descriptor of argument `index`.
  UniqueFd take_fd(std::size_t index) { return std::move(fds.at(values.at(index).get<std::size_t>())); }
};

/// Makes calls on one bus connection. Errors carry the daemon's code and text; a bus or daemon that cannot be reached
/// is Unavailable.
class Caller {
 public:
  explicit Caller(Bus& bus) : bus_(bus) {}
  Task<Result<Reply>> call(Call call);
  /// A call of a Describe* method: its rows.
  Task<Result<Json>> describe(Call call);
  /// The same, its rows as the JSON text they are.
  Task<Result<std::string>> describe_text(Call call);
  Bus& bus() { return bus_; }

 private:
  Bus& bus_;
};

/// The contents of a sealed memfd of JSON rows: as text that nobody has looked at, and parsed.
Result<std::string> read_rows_text(int fd);
Result<Json> read_rows(int fd);

}  // namespace berth::rest
