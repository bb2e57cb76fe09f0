#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string_view>

namespace berth {

/// What a configuration value may look like. Every type takes the empty text, which means unset.
enum class ValueType : std::uint8_t {
  Line,  ///< any text without control characters
  Text,  ///< any text; of control characters only newline, carriage return and tab (cloud-init data)
  Blob,  ///< lines for a generated file; of control characters only newline and tab
  Bool,  ///< true false yes no 1 0 on off, any case
  Int,   ///< decimal, 64 bits, signed
  Uint8,
  Uint32,
  Priority,      ///< 0 to 10
  OneOf,         ///< one of the row's choices
  Size,          ///< size.hpp
  Bits,          ///< size.hpp
  MemoryLimit,   ///< a size, or `N%` of the host's
  CpuSet,        ///< a count, or a set as `0-3,5`
  CpuAllowance,  ///< `N%` or `Nms/Nms`
  KernelLimit,   ///< `soft:hard` or one value for both; numbers or `unlimited`
  Cron,          ///< five fields, or @hourly and its kind; several separated by `, `
  Expiry,        ///< `1w 2d`: each unit of M H d w m y at most once
  IdMapJson,     ///< LXD's JSON id map
  RawIdMap,      ///< lines `uid|gid|both HOST CONTAINER`
  RawLxc,        ///< lines `key = value` for liblxc, without the keys that Berth itself owns
};

/// Checks one value. `choices` is for OneOf alone, separated by `|`.
/// Errors: InvalidArgument in LXD's words: `Invalid value for a boolean "X"`, `Invalid value for an integer: X`...
Result<void> validate_value(ValueType type, std::string_view value, std::string_view choices = {});

/// True for `true`, `1`, `yes`, `on` in any case; everything else is false.
bool is_true(std::string_view value);

}  // namespace berth
