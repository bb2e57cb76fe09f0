#include "daemon/services/instance_query.hpp"

#include "daemon/domain/instance_document.hpp"
#include "daemon/services/instance_support.hpp"
#include "daemon/services/snapshots.hpp"

#include <algorithm>
#include <map>

namespace berth::services {
namespace {

std::int64_t as_int(std::uint64_t number) { return static_cast<std::int64_t>(number); }

Document address_document(const ports::NetworkAddress& address) {
  return {
      {"family", address.family}, {"address", address.address}, {"netmask", address.netmask}, {"scope", address.scope}};
}

Document interface_document(const ports::NetworkInterface& interface) {
  std::vector<Document> addresses;
  for (const auto& address : interface.addresses) addresses.push_back(address_document(address));
  return {{"addresses", std::move(addresses)},
          {"counters", Document{{"bytes_received", as_int(interface.bytes_received)},
                                {"bytes_sent", as_int(interface.bytes_sent)},
                                {"packets_received", as_int(interface.packets_received)},
                                {"packets_sent", as_int(interface.packets_sent)},
                                {"errors_received", as_int(interface.errors_received)},
                                {"errors_sent", as_int(interface.errors_sent)},
                                {"packets_dropped_inbound", as_int(interface.dropped_inbound)},
                                {"packets_dropped_outbound", as_int(interface.dropped_outbound)}}},
          {"hwaddr", interface.hwaddr},
          {"host_name", interface.host_name},
          {"mtu", std::int64_t{interface.mtu}},
          {"state", interface.state},
          {"type", interface.type}};
}

/// Expands many instances, reading the profiles of each project once.
class Expander {
 public:
  explicit Expander(Context& context) : context_(context) {}
  Result<Expanded> operator()(const Instance& instance) {
    auto known = profiles_.find(instance.project);
    if (known == profiles_.end()) {
      BERTH_TRY(auto profiles, context_.store.profiles(daemon_principal(), instance.project));
      known = profiles_.emplace(instance.project, std::move(profiles)).first;
    }
    return expand(instance, known->second);
  }

 private:
  Context& context_;
  std::map<ProjectName, std::vector<Profile>> profiles_;
};

/// `with_usage`: the disk too, which may have to be walked.
Result<Document> state_document(Context& context, const Instance& instance, bool with_usage) {
  ports::RuntimeState state;
  if (context.runtime.status(instance.uuid) != InstanceStatus::Stopped) {
    BERTH_TRY(state, context.runtime.state(instance.uuid));
  }
  Document network;
  Document disk;
  if (state.status != InstanceStatus::Stopped) {
    BERTH_TRY(const auto interfaces, context.runtime.networks(instance.uuid));
    for (const auto& [name, interface] : interfaces) network[name] = interface_document(interface);
    if (with_usage) {
      BERTH_TRY(auto* const driver, driver_of(context, instance.pool));
      BERTH_TRY(const auto all, expanded(context, instance));
      BERTH_TRY(const auto root, find_root_disk(all.devices));
      if (const auto usage = driver->usage(instance.uuid)) disk[root.device] = Document{{"usage", as_int(*usage)}};
    }
  }
  return Document{{"status", std::string(status_word(state.status))},
                  {"status_code", std::int64_t{status_code(state.status)}},
                  {"pid", std::int64_t{state.init_pid}},
                  {"processes", as_int(state.processes)},
                  {"cpu", Document{{"usage", as_int(state.cpu_ns)}}},
                  {"memory", Document{{"usage", as_int(state.memory_bytes)},
                                      {"usage_peak", as_int(state.memory_peak_bytes)},
                                      {"swap_usage", as_int(state.swap_bytes)},
                                      {"swap_usage_peak", as_int(state.swap_peak_bytes)}}},
                  {"disk", std::move(disk)},
                  {"network", std::move(network)}};
}

/// A container that cannot be asked (it is just ending) is shown with its status alone, so that one never spoils a
/// list.
Document state_or_status(Context& context, const Instance& instance, bool with_usage) {
  if (auto state = state_document(context, instance, with_usage)) return *std::move(state);
  const auto status = context.runtime.status(instance.uuid);
  return Document{{"status", std::string(status_word(status))},
                  {"status_code", std::int64_t{status_code(status)}},
                  {"pid", std::int64_t{0}},
                  {"processes", std::int64_t{0}},
                  {"cpu", Document{{"usage", std::int64_t{0}}}},
                  {"memory", Document{{"usage", std::int64_t{0}},
                                      {"usage_peak", std::int64_t{0}},
                                      {"swap_usage", std::int64_t{0}},
                                      {"swap_usage_peak", std::int64_t{0}}}},
                  {"disk", Document{}},
                  {"network", Document{}}};
}

InstanceRow row_of(Context& context, const Instance& instance) {
  return InstanceRow{.project = instance.project,
                     .name = instance.name,
                     .type = instance.type,
                     .status = context.runtime.status(instance.uuid),
                     .architecture = instance.architecture,
                     .ephemeral = instance.ephemeral,
                     .created_at = instance.created_at,
                     .init_pid = context.runtime.init_pid(instance.uuid)};
}

/// Exactly the named ones, sorted.
Result<std::vector<Instance>> pick(Context& context, const Principal& who, const std::optional<ProjectName>& project,
                                   const std::vector<InstanceName>& names) {
  std::vector<Instance> picked;
  if (project) {
    for (const auto& name : names) {
      BERTH_TRY(auto instance, context.store.instance(who, *project, name));
      picked.push_back(std::move(instance));
    }
  } else {
    BERTH_TRY(const auto all, context.store.instances(who, std::nullopt));
    for (const auto& name : names) {
      const auto before = picked.size();
      std::copy_if(all.begin(), all.end(), std::back_inserter(picked),
                   [&name](const Instance& row) { return row.name == name; });
      if (picked.size() == before) return Error{Code::NotFound, "Instance \"" + name.str() + "\" not found"};
    }
  }
  std::sort(picked.begin(), picked.end(), [](const Instance& a, const Instance& b) { return a.name < b.name; });
  return picked;
}

}  // namespace

Result<std::vector<InstanceRow>> InstanceQuery::list(const Principal& who, const std::optional<ProjectName>& project) {
  BERTH_TRY(const auto instances, context_.store.instances(who, project));
  std::vector<InstanceRow> rows;
  rows.reserve(instances.size());
  for (const auto& instance : instances) rows.push_back(row_of(context_, instance));
  return rows;
}

Result<std::vector<Document>> InstanceQuery::describe(const Principal& who, const std::optional<ProjectName>& project,
                                                      const std::optional<std::vector<InstanceName>>& names,
                                                      InstanceDetail detail) {
  BERTH_TRY(auto instances,
            names ? pick(context_, who, project, *names) : context_.store.instances(who, project));
  Expander expander(context_);
  const bool with_usage = names && instances.size() == 1;
  std::map<Uuid, std::vector<Snapshot>> snapshots;
  if (detail == InstanceDetail::Full) {
    const auto only = instances.size() == 1 ? std::optional<Uuid>(instances.front().uuid) : std::nullopt;
    BERTH_TRY(auto all, context_.store.snapshots(only));
    for (auto& snapshot : all) snapshots[snapshot.instance].push_back(std::move(snapshot));
  }
  std::vector<Document> rows;
  rows.reserve(instances.size());
  for (auto& instance : instances) {
    Document more;
    if (detail != InstanceDetail::Config) more.emplace("state", state_or_status(context_, instance, with_usage));
    if (detail == InstanceDetail::Full) {
      BERTH_TRY(auto documents, snapshot_documents(context_, instance, snapshots[instance.uuid]));
      more.emplace("snapshots", std::move(documents));
      BERTH_TRY(const auto backups, context_.backups.list(instance.uuid));
      std::vector<Document> kept;
      for (const auto& backup : backups) kept.push_back(backup_document(backup));
      more.emplace("backups", std::move(kept));
    }
    if (detail == InstanceDetail::State) {
      more.emplace("name", instance.name.str());
      more.emplace("project", instance.project.str());
      rows.push_back(std::move(more));
      continue;
    }
    BERTH_TRY(auto all, expander(instance));
    const auto status = context_.runtime.status(instance.uuid);
    more.merge(instance_document(std::move(instance), std::move(all), status));
    rows.push_back(std::move(more));
  }
  return rows;
}

Result<Document> InstanceQuery::config(const Principal& who, const ProjectName& project, const InstanceName& name) {
  BERTH_TRY(const auto instance, context_.store.instance(who, project, name));
  BERTH_TRY(const auto all, expanded(context_, instance));
  return instance_document(instance, all, context_.runtime.status(instance.uuid));
}

Result<Document> InstanceQuery::state(const Principal& who, const ProjectName& project, const InstanceName& name) {
  BERTH_TRY(const auto instance, context_.store.instance(who, project, name));
  return state_or_status(context_, instance, true);
}

Result<InstanceRow> InstanceQuery::by_pid(const Principal& who, std::int32_t pid) {
  BERTH_TRY(const auto uuid, context_.runtime.instance_of(pid));
  BERTH_TRY(const auto seen, context_.store.instance_by_uuid(uuid));
  return row(who, seen.project, seen.name);  // asked again as the caller, from whom it may be hidden
}

Result<InstanceRow> InstanceQuery::row(const Principal& who, const ProjectName& project, const InstanceName& name) {
  BERTH_TRY(const auto instance, context_.store.instance(who, project, name));
  return row_of(context_, instance);
}

}  // namespace berth::services
