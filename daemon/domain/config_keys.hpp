#pragma once

#include "base/result.hpp"
#include "daemon/domain/types.hpp"
#include "daemon/domain/value_types.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace berth {

/// Whose configuration a key stands in.
enum class ConfigOwner { Instance, Profile };

/// What Berth makes of a key.
enum class KeySupport : std::uint8_t {
  Honoured,  ///< validated and stored; acts where the row's description says
  Refused,   ///< part of the API, but this Berth has nothing that would act on it: NotSupported unless it is off
};

/// What setting a key may do to the host; policy.hpp judges by it.
enum class HostAccess : std::uint8_t {
  None,
  Any,      ///< every value that is not empty
  IfTrue,   ///< a boolean that is on
  IfFalse,  ///< a boolean that is off (a protection switched off)
};

/// One row of the table of instance and profile keys: validation, policy, manual page and completion all read it.
struct ConfigKey {
  std::string_view name;  ///< `limits.cpu`; a `*` stands for one or more characters: `user.*`, `volatile.*.hwaddr`
  ValueType type = ValueType::Line;
  std::string_view fallback;  ///< the value that holds when unset; empty = none
  bool live = false;          ///< takes effect on a running container
  HostAccess host_access = HostAccess::None;
  bool in_profiles = true;
  KeySupport support = KeySupport::Honoured;
  std::string_view since;    ///< API extension that brought it; empty = there from the beginning
  std::string_view choices;  ///< OneOf: `soft|hard`
  std::string_view description;
};

std::span<const ConfigKey> config_keys();

/// The row for a key as written in a configuration; nullptr = no such key. Exact names win over families.
const ConfigKey* find_config_key(std::string_view name);

/// Checks names and values of one object's own configuration. Errors: InvalidArgument `Unknown configuration key: X`,
/// `Invalid value ...`, control characters; NotSupported names the key.
Result<void> validate_config(const ConfigMap& config, ConfigOwner owner);

/// Checks between keys, on the expanded configuration of an instance (and on a profile's own).
/// Errors: InvalidArgument.
Result<void> validate_config_together(const ConfigMap& expanded);

/// The key's value, or its table default when unset or empty.
std::string_view config_value(const ConfigMap& expanded, std::string_view key);
/// config_value() as a boolean.
bool config_flag(const ConfigMap& expanded, std::string_view key);

}  // namespace berth
