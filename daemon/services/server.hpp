#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "daemon/domain/document.hpp"
#include "daemon/domain/principal.hpp"
#include "daemon/domain/storage_pool.hpp"
#include "daemon/ports/credentials.hpp"
#include "daemon/ports/host_hardware.hpp"
#include "daemon/services/context.hpp"
#include "daemon/services/https.hpp"

namespace berth::services {

/// What of the `environment` only main can know.
struct ServerFacts {
  std::string lxc_version;
  /// Driver name to its version, of those that are built in.
  std::map<std::string, std::string> storage_drivers;
  std::map<std::string, std::string> lxc_features, kernel_features;  ///< name to `true` or `false`
};

/// The server itself: what it is, its configuration, its storage pools. Blocking; workers only.
class Server {
 public:
  Server(Context& context, ServerFacts facts, Https& https, ports::Credentials& credentials,
         ports::HostHardware& hardware);
  /// LXD's `environment` object: what does not change is found once.
  Result<Document> info(const Principal& who);
  /// `environment`, `config`, `revision`.
  Result<Document> describe(const Principal& who);
  /// What the host is made of; see ports::HostHardware.
  Document resources(const Principal& who);
  Result<ConfigMap> config(const Principal& who);
  /// `keep`: secret keys that stay as they are when everything else is replaced. A new address of HTTPS is listened on when
  /// this returns, or nothing is changed.
  Result<void> set_config(const Principal& who, const ConfigMap& config, bool replace, std::optional<std::uint64_t> if_revision,
                          const std::vector<std::string>& keep = {});
  Result<std::vector<StoragePool>> pools(const Principal& who);
  Result<Document> pool(const Principal& who, const PoolName& name);
  Result<Document> pool_resources(const Principal& who, const PoolName& name);

 private:
  Result<ConfigMap> merged(const ConfigMap& current, const ConfigMap& changes, bool replace,
                           const std::vector<std::string>& keep);

  Context& context_;
  Https& https_;
  ports::Credentials& credentials_;
  ports::HostHardware& hardware_;
  std::map<std::string, std::string> storage_versions_;
  Document fixed_;  ///< the part of the environment that does not change
};

}  // namespace berth::services
