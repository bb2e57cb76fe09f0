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
  bool secret = false;  ///< kept as a hash, shown as `true`
};

inline constexpr std::string_view kTrustPasswordKey = "core.trust_password";
inline constexpr std::string_view kTokenExpiryKey = "core.remote_token_expiry";
inline constexpr std::string_view kTrustAuthorityKey = "core.trust_ca_certificates";
inline constexpr std::string_view kHttpsAddressKey = "core.https_address";
inline constexpr std::string_view kBackupCompressionKey = "backups.compression_algorithm";
inline constexpr std::string_view kImageCompressionKey = "images.compression_algorithm";
inline constexpr std::string_view kAutoUpdateCachedKey = "images.auto_update_cached";
inline constexpr std::string_view kAutoUpdateIntervalKey = "images.auto_update_interval";
inline constexpr std::string_view kCacheExpiryKey = "images.remote_cache_expiry";

std::span<const ServerKey> server_keys();
bool is_secret_server_key(std::string_view name);
/// The configuration as it may be seen.
ConfigMap shown_server_config(ConfigMap config);

/// Checks a whole server configuration. Errors: InvalidArgument `cannot set 'X' to 'Y': unknown key`, or the value's
/// error in the same frame; several are one error, `... (and N more errors)`. NotSupported names a key of the API that
/// this Berth does not act on.
Result<void> validate_server_config(const ConfigMap& config);

}  // namespace berth
