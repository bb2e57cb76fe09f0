#pragma once

#include "base/result.hpp"
#include "daemon/domain/expand.hpp"
#include "daemon/domain/instance.hpp"
#include "daemon/domain/principal.hpp"
#include "daemon/services/context.hpp"

#include <string>
#include <vector>

/// What several use cases of instances have in common. Blocking; workers only.
namespace berth::services {

/// "Instance web", for the error texts of locks.
std::string shown(const InstanceName& name);

/// The instance's lock for a user's verb.
Result<EntityLocks::Guard> lock_instance(Context& context, const Instance& instance, const std::string& verb);

/// An instance as it was read under its lock.
struct LockedInstance {
  Instance instance;
  EntityLocks::Guard lock;
};
/// The instance of that name, with its lock for `verb`. Errors: NotFound; Busy, also when another took its name meanwhile.
Result<LockedInstance> lock_named(Context& context, const Principal& who, const ProjectName& project, const InstanceName& name,
                                  const std::string& verb);
/// The lock of a name that no instance of the project has, for one that is to get it. Errors: AlreadyExists, Busy.
Result<EntityLocks::Guard> lock_free_name(Context& context, const ProjectName& project, const InstanceName& name, const std::string& verb);

/// Runs `work` as an operation that holds `lock`; the lock is free again before anybody hears of the end.
Result<OperationId> start_locked(Context& context, OperationSpec spec, EntityLocks::Guard lock, OperationBody work);

/// An operation's spec about one instance.
OperationSpec instance_operation(const Principal& who, const Instance& instance, const std::string& description);

/// The instance with its profiles as they are now.
Result<Expanded> expanded(Context& context, const Instance& instance);

/// The profiles a request names, in its order. Errors: NotFound in LXD's words, InvalidArgument when one comes twice.
Result<std::vector<Profile>> find_profiles(Context& context, const Principal& who, const ProjectName& project,
                                           const std::vector<ProfileName>& names);

/// The pool's driver. NotFound `Storage pool "x" not found`.
Result<ports::StorageDriver*> driver_of(Context& context, const PoolName& pool);

/// Asks for host access when `wanted` reaches the host in a way that `committed` does not. Root is never asked.
Result<void> check_host_access(Context& context, const Principal& who, const std::string& object,
                               const Expanded& committed, const Expanded& wanted);
/// The same for several objects that change together: one question.
Result<void> check_host_access(Context& context, const Principal& who, const std::string& object,
                               const std::vector<std::string>& reasons);

/// Whether two configurations ask for the same id map.
bool same_idmap(const ConfigMap& a, const ConfigMap& b);
/// The `volatile.idmap.*` keys that an expanded configuration asks for. The caller holds lock_idmaps() until they are
/// stored.
Result<ConfigMap> idmap_keys(Context& context, const Uuid& instance, const ConfigMap& expanded);
/// Isolated maps are handed out one at a time.
Result<EntityLocks::Guard> lock_idmaps(Context& context);

/// Writes the manifest of the row as stored now; a failure is logged, since the database is the truth.
void refresh_manifest(Context& context, const Uuid& instance);

/// <logs>/<uuid>.
std::string log_folder(const Context& context, const Uuid& instance);

}  // namespace berth::services
