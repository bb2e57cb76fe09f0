#include "daemon/services/instance_support.hpp"

#include "base/log.hpp"
#include "daemon/domain/config_keys.hpp"
#include "daemon/domain/policy.hpp"

#include <charconv>
#include <memory>
#include <optional>
#include <set>

namespace berth::services {
namespace {

constexpr auto kIdMapKeys = {"security.privileged", "security.idmap.isolated", "security.idmap.size",
                             "security.idmap.base", "raw.idmap"};

std::optional<std::uint32_t> number_key(const ConfigMap& config, std::string_view key) {
  const auto text = config_value(config, key);
  std::uint32_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc{} || text.empty()) return std::nullopt;
  return value;
}

/// The host ids that an instance has, or gets at its next start, for itself alone.
void add_own_ranges(const Instance& instance, std::vector<IdRange>& ranges) {
  const auto base = instance.config.find("volatile.idmap.base");
  if (base == instance.config.end() || base->second == "0") return;
  for (const auto* key : {"volatile.idmap.next", "volatile.idmap.current"}) {
    const auto text = instance.config.find(key);
    if (text == instance.config.end()) continue;
    const auto map = idmap_from_json(text->second);
    if (!map) continue;
    for (const auto& entry : map->entries) ranges.push_back({entry.outside, entry.count});
  }
}

}  // namespace

std::string shown(const InstanceName& name) { return "Instance " + name.str(); }

Result<EntityLocks::Guard> lock_instance(Context& context, const Instance& instance, const std::string& verb) {
  return context.locks.lock(instance_entity(instance.uuid), shown(instance.name), verb, EntityLocks::Purpose::User);
}

Result<LockedInstance> lock_named(Context& context, const Principal& who, const ProjectName& project, const InstanceName& name,
                                  const std::string& verb) {
  BERTH_TRY(const auto seen, context.store.instance(who, project, name));
  BERTH_TRY(auto guard, lock_instance(context, seen, verb));
  // Only what is read under the lock counts: it may have been renamed or deleted while this waited.
  BERTH_TRY(auto instance, context.store.instance(who, project, name));
  if (instance.uuid != seen.uuid) return Error{Code::Busy, shown(name) + " was replaced by another one: try again"};
  return LockedInstance{std::move(instance), std::move(guard)};
}

Result<EntityLocks::Guard> lock_free_name(Context& context, const ProjectName& project, const InstanceName& name, const std::string& verb) {
  BERTH_TRY(auto guard, context.locks.lock(name_entity(project, name), shown(name), verb, EntityLocks::Purpose::User));
  const auto taken = context.store.instance(daemon_principal(), project, name);
  if (taken) return Error{Code::AlreadyExists, "Name \"" + name.str() + "\" already in use"};
  if (taken.error().code != Code::NotFound) return taken.error();
  return guard;
}

Result<OperationId> start_locked(Context& context, OperationSpec spec, EntityLocks::Guard lock, OperationBody work) {
  const auto held = std::make_shared<std::optional<EntityLocks::Guard>>(std::move(lock));
  return context.operations.start(std::move(spec), [held, work = std::move(work)](OperationContext& operation) {
    auto outcome = work(operation);
    held->reset();
    return outcome;
  });
}

OperationSpec instance_operation(const Principal& who, const Instance& instance, const std::string& description) {
  return OperationSpec{.description = description,
                       .project = instance.project,
                       .owner = who,
                       .resources = {{"instances", {instance.name.str()}}}};
}

Result<Expanded> expanded(Context& context, const Instance& instance) {
  BERTH_TRY(const auto known, context.store.profiles(daemon_principal(), instance.project));
  return expand(instance, known);
}

Result<std::vector<Profile>> find_profiles(Context& context, const Principal& who, const ProjectName& project,
                                           const std::vector<ProfileName>& names) {
  std::set<std::string> seen;
  std::vector<Profile> found;
  for (const auto& name : names) {
    if (!seen.insert(name.str()).second) return Error{Code::InvalidArgument, "Duplicate profile found in request"};
    auto profile = context.store.profile(who, project, name);
    if (!profile && profile.error().code == Code::NotFound)
      return Error{Code::NotFound, "Requested profile \"" + name.str() + "\" doesn't exist"};
    if (!profile) return profile.error();
    found.push_back(*std::move(profile));
  }
  return found;
}

Result<ports::StorageDriver*> driver_of(Context& context, const PoolName& pool) {
  const auto found = context.pools.find(pool);
  if (found == context.pools.end()) return Error{Code::NotFound, "Storage pool \"" + pool.str() + "\" not found"};
  return found->second.get();
}

Result<void> check_host_access(Context& context, const Principal& who, const std::string& object,
                               const Expanded& committed, const Expanded& wanted) {
  return check_host_access(context, who, object, new_host_access(committed, wanted));
}

Result<void> check_host_access(Context& context, const Principal& who, const std::string& object,
                               const std::vector<std::string>& reasons) {
  if (reasons.empty() || who.is_root()) return {};
  return context.host_access(who, object, reasons);
}

bool same_idmap(const ConfigMap& a, const ConfigMap& b) {
  for (const auto* key : kIdMapKeys)
    if (config_value(a, key) != config_value(b, key)) return false;
  return true;
}

Result<ConfigMap> idmap_keys(Context& context, const Uuid& instance, const ConfigMap& expanded) {
  const IdMapRequest request{.privileged = config_flag(expanded, "security.privileged"),
                             .isolated = config_flag(expanded, "security.idmap.isolated"),
                             .size = number_key(expanded, "security.idmap.size"),
                             .base = number_key(expanded, "security.idmap.base")};
  std::vector<IdRange> taken;
  if (request.isolated && !request.privileged) {
    BERTH_TRY(const auto others, context.store.instances(daemon_principal(), std::nullopt));
    for (const auto& other : others)
      if (other.uuid != instance) add_own_ranges(other, taken);
  }
  BERTH_TRY(const auto map, make_idmap(request, context.subuids, context.subgids, taken));
  const bool own = request.isolated && !request.privileged;
  return ConfigMap{{"volatile.idmap.base", own ? std::to_string(map.root_uid()) : "0"},
                   {"volatile.idmap.next", idmap_to_json(map)}};
}

Result<EntityLocks::Guard> lock_idmaps(Context& context) {
  return context.locks.lock("idmaps", "The table of id maps", "allocate", EntityLocks::Purpose::Cleanup);
}

void refresh_manifest(Context& context, const Uuid& instance) {
  const auto row = context.store.instance_by_uuid(instance);
  const auto written = row ? context.manifests.write(*row) : Result<void>(row.error());
  if (!written)
    log::warning("The manifest of an instance could not be written: " + written.error().message,
                 {{"BERTH_INSTANCE_UUID", instance.str()}});
}

std::string log_folder(const Context& context, const Uuid& instance) {
  return context.paths.logs + "/" + instance.str();
}

}  // namespace berth::services
