#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "daemon/domain/types.hpp"

namespace berth {

struct DocumentValue;

/// What one object tells about itself, as typed fields by their snake_case name. The bus turns it into `a{sv}` (exactly
/// the D-Bus types in the order below), list methods into one row of JSON. One function an entity makes it; nothing
/// else in the daemon knows how an object looks from outside.
/// Times are microseconds since the epoch in fields that end in `_at`; 0 = unset. Sizes are bytes.
using Document = std::map<std::string, DocumentValue>;

/// D-Bus: s, b, x, t, as, a{ss}, a{sa{ss}}, a{sv}, aa{sv}.
struct DocumentValue {
  using Variant = std::variant<std::string, bool, std::int64_t, std::uint64_t, std::vector<std::string>, ConfigMap,
                               DeviceMap, Document, std::vector<Document>>;
  Variant value;

  DocumentValue() = default;
  DocumentValue(const char* text) : value(std::string(text)) {}  // NOLINT: a literal must not become a bool
  template <typename T>
    requires std::is_constructible_v<Variant, T>
  DocumentValue(T given) : value(std::move(given)) {}  // NOLINT(google-explicit-constructor)
};

/// Microseconds since the epoch: how a Document and D-Bus carry a time.
inline std::uint64_t to_microseconds(Timestamp time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

}  // namespace berth
