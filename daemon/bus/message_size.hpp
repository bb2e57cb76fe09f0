#pragma once

#include <sdbus-c++/Types.h>

#include <cstddef>
#include <map>
#include <string>
#include <tuple>
#include <type_traits>
#include <variant>
#include <vector>

#include "daemon/domain/document.hpp"

namespace berth::bus {

/// At most how many bytes a value takes in a D-Bus message, padding included: what is checked before a message is sent.
inline std::size_t message_size(const std::string& text) { return text.size() + 8; }

template <typename Plain>
  requires std::is_arithmetic_v<Plain>
std::size_t message_size(const Plain&) {
  return 8;
}

inline std::size_t message_size(const sdbus::UnixFd&) { return 8; }
/// Counted where the a{sv} was made (to_variants).
inline std::size_t message_size(const sdbus::Variant&) { return 0; }

template <typename Element>
std::size_t message_size(const std::vector<Element>& list);
template <typename Value>
std::size_t message_size(const std::map<std::string, Value>& map);
template <typename... Fields>
std::size_t message_size(const sdbus::Struct<Fields...>& row);
inline std::size_t message_size(const DocumentValue& value);

template <typename Element>
std::size_t message_size(const std::vector<Element>& list) {
  std::size_t sum = 8;
  for (const auto& element : list) sum += message_size(element);
  return sum;
}

template <typename Value>
std::size_t message_size(const std::map<std::string, Value>& map) {
  std::size_t sum = 8;
  for (const auto& [name, value] : map) sum += 8 + message_size(name) + message_size(value);
  return sum;
}

template <typename... Fields>
std::size_t message_size(const sdbus::Struct<Fields...>& row) {
  return std::apply([](const auto&... field) { return (std::size_t{8} + ... + message_size(field)); },
                    static_cast<const std::tuple<Fields...>&>(row));
}

inline std::size_t message_size(const DocumentValue& value) {
  constexpr std::size_t kSignature = 16;
  return kSignature + std::visit([](const auto& held) { return message_size(held); }, value.value);
}

}  // namespace berth::bus
