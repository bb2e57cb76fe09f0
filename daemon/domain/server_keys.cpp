#include "daemon/domain/server_keys.hpp"

#include "base/names.hpp"
#include "daemon/domain/compression.hpp"
#include "daemon/domain/listen_address.hpp"
#include "daemon/domain/schedule.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace berth {
namespace {

constexpr ServerKey refused(std::string_view name, std::string_view description, std::string_view fallback = {}) {
  return {.name = name, .fallback = fallback, .support = KeySupport::Refused, .description = description};
}

constexpr std::array kKeys{
    ServerKey{.name = "user.*", .type = ValueType::Text, .description = "Free text of the server's user"},
    ServerKey{.name = kBackupCompressionKey, .fallback = "gzip", .description = "How backups are compressed"},
    refused("candid.*", "External authentication"),
    refused("cluster.*", "Membership of a cluster"),
    refused("core.bgp_address", "Address of the BGP listener"),
    refused("core.bgp_asn", "Number of the BGP system"),
    refused("core.bgp_routerid", "Identity of the BGP router"),
    refused("core.debug_address", "Address of the profiling listener"),
    refused("core.dns_address", "Address of the DNS listener"),
    ServerKey{.name = kHttpsAddressKey, .description = "Address of the HTTPS listener"},
    ServerKey{.name = "core.https_allowed_credentials", .type = ValueType::Bool, .description = "Cross-origin requests with credentials"},
    ServerKey{.name = "core.https_allowed_headers", .description = "Cross-origin headers"},
    ServerKey{.name = "core.https_allowed_methods", .description = "Cross-origin methods"},
    ServerKey{.name = "core.https_allowed_origin", .description = "Cross-origin sites"},
    refused("core.https_trusted_proxy", "Proxies whose client addresses are believed"),
    refused("core.metrics_address", "Address of the metrics listener"),
    refused("core.metrics_authentication", "Whether metrics need a certificate", "true"),
    refused("core.proxy_http", "Proxy for HTTP downloads"),
    refused("core.proxy_https", "Proxy for HTTPS downloads"),
    refused("core.proxy_ignore_hosts", "Hosts that are reached without a proxy"),
    ServerKey{.name = kTokenExpiryKey, .description = "How long a trust token holds, such as 1d 12H; for ever where it is unset"},
    refused("core.shutdown_timeout", "Minutes to wait for operations at the end", "5"),
    refused("core.storage_buckets_address", "Address of the object storage listener"),
    ServerKey{.name = kTrustAuthorityKey,
              .type = ValueType::Bool,
              .fallback = "false",
              .description = "Whether a client is trusted whose certificate the authority in server.ca has signed"},
    ServerKey{.name = kTrustPasswordKey, .description = "Password with which a client adds its certificate", .secret = true},
    ServerKey{.name = kAutoUpdateCachedKey, .type = ValueType::Bool, .fallback = "true", .description = "Whether cached images are kept up to date"},
    ServerKey{.name = kAutoUpdateIntervalKey, .type = ValueType::Uint32, .fallback = "6", .description = "Hours between updates of images; 0: none"},
    ServerKey{.name = kImageCompressionKey, .fallback = "gzip", .description = "How published images are compressed"},
    refused("images.default_architecture", "Architecture of images when none is asked for"),
    ServerKey{.name = kCacheExpiryKey, .type = ValueType::Uint32, .fallback = "10", .description = "Days after which an unused cached image goes"},
    refused("instances.nic.host_name", "How host interfaces are named", "random"),
    refused("loki.*", "Where logs are sent"),
    refused("maas.*", "Connection to MAAS"),
    refused("network.ovn.*", "Connection to OVN"),
    refused("rbac.*", "External authorisation"),
    refused("storage.backups_volume", "Volume that holds backups"),
    refused("storage.images_volume", "Volume that holds images"),
};

const ServerKey* find_key(std::string_view name) {
  for (const auto& row : kKeys) {
    if (row.name == name) return &row;
    const auto family = row.name.substr(0, row.name.size() - 1);
    if (row.name.ends_with('*') && name.starts_with(family) && name.size() > family.size()) return &row;
  }
  return nullptr;
}

std::string shown(std::string_view text) {
  std::string out(text.substr(0, 200));
  std::replace_if(
      out.begin(), out.end(),
      [](char c) {
        return has_control_characters({&c, 1});
      },
      '?');
  return out;
}

Result<void> check_key(const std::string& key, const std::string& value) {
  const auto* row = find_key(key);
  const std::string frame =
      "cannot set '" + shown(key) + "' to '" + (row != nullptr && row->secret ? "***" : shown(value)) + "'";
  if (row == nullptr || has_control_characters(key)) return Error{Code::InvalidArgument, frame + ": unknown key"};
  if (auto valid = validate_value(row->type, value); !valid) return std::move(valid).error().within(frame);
  if (row->name == kHttpsAddressKey && !value.empty())
    if (auto address = parse_listen_address(value); !address) return std::move(address).error().within(frame);
  if (row->name == kTokenExpiryKey && !value.empty())
    if (auto expiry = validate_expiry(value); !expiry) return std::move(expiry).error().within(frame);
  if (row->name == kBackupCompressionKey || row->name == kImageCompressionKey)
    if (auto compression = parse_compression(value); !compression) return std::move(compression).error().within(frame);
  if (row->support == KeySupport::Refused && !value.empty() && value != row->fallback)
    return Error{Code::NotSupported, frame + ": this version of Berth does not support the key"};
  return {};
}

}  // namespace

std::span<const ServerKey> server_keys() { return kKeys; }

bool is_secret_server_key(std::string_view name) {
  const auto* row = find_key(name);
  return row != nullptr && row->secret;
}

ConfigMap shown_server_config(ConfigMap config) {
  for (auto& [key, value] : config)
    if (is_secret_server_key(key)) value = "true";
  return config;
}

Result<void> validate_server_config(const ConfigMap& config) {
  Result<void> first;
  std::size_t more = 0;
  for (const auto& [key, value] : config) {
    auto valid = check_key(key, value);
    if (valid) continue;
    if (first)
      first = std::move(valid);
    else
      ++more;
  }
  if (more > 0) first.error().message += " (and " + std::to_string(more) + " more errors)";
  return first;
}

}  // namespace berth
