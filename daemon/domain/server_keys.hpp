#pragma once

#include "base/result.hpp"
#include "daemon/domain/config_keys.hpp"
#include "daemon/domain/types.hpp"

#include <span>
#include <string_view>

namespace berth {

/// One key of the server's configuration.
struct ServerKey {
  std::string_view name;  ///< `*` as in ConfigKey
  ValueType type = ValueType::Line;
  std::string_view fallback;
  KeySupport support = KeySupport::Honoured;
  std::string_view description;
};

std::span<const ServerKey> server_keys();

/// Checks a whole server configuration. Errors: InvalidArgument `cannot set 'X' to 'Y': unknown key`, or the value's
/// error in the same frame; several are one error, `... (and N more errors)`. NotSupported names a key of the API that
/// this Berth does not act on.
Result<void> validate_server_config(const ConfigMap& config);

}  // namespace berth
