#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/names.hpp"
#include "base/result.hpp"
#include "daemon/domain/idmap.hpp"
#include "daemon/domain/lxc_config.hpp"
#include "daemon/ports/archives.hpp"
#include "daemon/ports/backup_store.hpp"
#include "daemon/ports/clock.hpp"
#include "daemon/ports/container_runtime.hpp"
#include "daemon/ports/image_servers.hpp"
#include "daemon/ports/image_store.hpp"
#include "daemon/ports/manifests.hpp"
#include "daemon/ports/storage_driver.hpp"
#include "daemon/ports/store.hpp"
#include "daemon/ports/unit_manager.hpp"
#include "daemon/services/entity_locks.hpp"
#include "daemon/services/events.hpp"
#include "daemon/services/exec_table.hpp"
#include "daemon/services/host_access.hpp"
#include "daemon/services/operations.hpp"
#include "daemon/services/start_table.hpp"
#include "daemon/services/worker_pool.hpp"

namespace berth::ports {
class GuestFiles;
class InstanceMetadata;
}  // namespace berth::ports

namespace berth::services {

/// Where things are on this host. Made once in main from the environment systemd gives (STATE_DIRECTORY...).
struct Paths {
  std::string state;    ///< /var/lib/berth, 0700
  std::string runtime;  ///< /run/berth
  std::string logs;     ///< <state>/logs; one folder an instance, by uuid
};

/// What the use cases share: the ports, and the three things that coordinate them. Holds references, owns nothing; main makes
/// it and it outlives every service. It has no behaviour of its own. At the end: operations.shut_down(), then workers.stop(), then the
/// rest may go.
struct Context {
  ports::Store& store;
  ports::ImageStore& images;
  ports::Manifests& manifests;
  ports::InstanceMetadata& metadata;
  ports::GuestFiles& files;
  ports::Archives& archives;
  ports::BackupStore& backups;
  ports::ImageServers& servers;
  /// One driver a pool; filled by Reconcile::at_start() and only read from then on.
  std::map<PoolName, std::shared_ptr<ports::StorageDriver>>& pools;
  ports::ContainerRuntime& runtime;
  const ports::UnitManager& units;
  const ports::Clock& clock;
  WorkerPool& workers;
  Operations& operations;
  EntityLocks& locks;
  ExecTable& execs;
  StartTable& starts;
  Events& events;
  HostAccessCheck host_access;
  Paths paths;
  std::vector<IdRange> subuids, subgids;
  LxcHostFacts lxc_host;
  /// Told of the action of each lifecycle event, under the publisher's thread; must not block.
  std::function<void(const std::string& action)> on_lifecycle = {};
};

}  // namespace berth::services
