#include "daemon/services/instance_query.hpp"

#include "daemon/domain/document_json.hpp"
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

Result<Document> usage_document(Context& context, const Uuid& uuid) {
  BERTH_TRY(const auto instance, context.store.instance_by_uuid(uuid));
  BERTH_TRY(auto* const driver, driver_of(context, instance.pool));
  BERTH_TRY(const auto all, expanded(context, instance));
  BERTH_TRY(const auto root, find_root_disk(all.devices));
  Document disk;
  if (const auto usage = driver->usage(uuid)) disk[root.device] = Document{{"usage", as_int(*usage)}};
  return disk;
}

/// `with_usage`: the disk too, which may have to be walked.
Result<Document> state_document(Context& context, const Uuid& uuid, bool with_usage) {
  ports::RuntimeState state;
  if (context.runtime.status(uuid) != InstanceStatus::Stopped) {
    BERTH_TRY(state, context.runtime.state(uuid));
  }
  Document network;
  Document disk;
  if (state.status != InstanceStatus::Stopped) {
    BERTH_TRY(const auto interfaces, context.runtime.networks(uuid));
    for (const auto& [name, interface] : interfaces) network[name] = interface_document(interface);
    if (with_usage) {
      BERTH_TRY(disk, usage_document(context, uuid));
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
Document state_or_status(Context& context, const Uuid& uuid, bool with_usage) {
  if (auto state = state_document(context, uuid, with_usage)) return *std::move(state);
  const auto status = context.runtime.status(uuid);
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

Result<std::vector<Document>> snapshots_of(Context& context, const Uuid& uuid, const std::vector<Snapshot>& snapshots) {
  if (snapshots.empty()) return std::vector<Document>();
  BERTH_TRY(const auto instance, context.store.instance_by_uuid(uuid));
  return snapshot_documents(context, instance, snapshots);
}

InstanceRow row_of(Context& context, InstanceSummary instance) {
  return InstanceRow{.project = std::move(instance.project),
                     .name = std::move(instance.name),
                     .type = std::move(instance.type),
                     .status = context.runtime.status(instance.uuid),
                     .architecture = std::move(instance.architecture),
                     .ephemeral = instance.ephemeral,
                     .created_at = instance.created_at,
                     .init_pid = context.runtime.init_pid(instance.uuid)};
}

/// Exactly the named ones, sorted.
Result<std::vector<InstanceSummary>> pick(Context& context, const Principal& who, const std::optional<ProjectName>& project,
                                          const std::vector<InstanceName>& names) {
  std::vector<InstanceSummary> picked;
  if (project) {
    for (const auto& name : names) {
      BERTH_TRY(const auto instance, context.store.instance(who, *project, name));
      picked.push_back(summary_of(instance));
    }
  } else {
    BERTH_TRY(const auto all, context.store.instance_summaries(who, std::nullopt));
    for (const auto& name : names) {
      const auto before = picked.size();
      std::copy_if(all.begin(), all.end(), std::back_inserter(picked),
                   [&name](const InstanceSummary& row) { return row.name == name; });
      if (picked.size() == before) return Error{Code::NotFound, "Instance \"" + name.str() + "\" not found"};
    }
  }
  std::sort(picked.begin(), picked.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return picked;
}

}  // namespace

Result<std::vector<InstanceRow>> InstanceQuery::list(const Principal& who, const std::optional<ProjectName>& project) {
  BERTH_TRY(auto instances, context_.store.instance_summaries(who, project));
  std::vector<InstanceRow> rows;
  rows.reserve(instances.size());
  for (auto& instance : instances) rows.push_back(row_of(context_, std::move(instance)));
  return rows;
}

Result<std::string> InstanceQuery::describe(const Principal& who, const std::optional<ProjectName>& project,
                                            const std::optional<std::vector<InstanceName>>& names, InstanceDetail detail) {
  BERTH_TRY(const auto instances,
            names ? pick(context_, who, project, *names) : context_.store.instance_summaries(who, project));
  InstanceTexts::Reading texts(texts_);
  const bool with_usage = names && instances.size() == 1;
  std::map<Uuid, std::vector<Snapshot>> snapshots;
  if (detail == InstanceDetail::Full) {
    const auto only = instances.size() == 1 ? std::optional<Uuid>(instances.front().uuid) : std::nullopt;
    BERTH_TRY(auto all, context_.store.snapshots(only));
    for (auto& snapshot : all) snapshots[snapshot.instance].push_back(std::move(snapshot));
  }
  InstanceRowsText rows;
  const auto add = [&](const InstanceSummary& instance) -> Result<void> {
    Document now;
    if (detail != InstanceDetail::Config) now.emplace("state", state_or_status(context_, instance.uuid, with_usage));
    if (detail == InstanceDetail::State) {
      rows.add(to_json_members({{"name", instance.name.str()}, {"project", instance.project.str()}}), now);
      return {};
    }
    now.merge(status_document(context_.runtime.status(instance.uuid)));
    BERTH_TRY(const auto members, texts.members_of(instance));
    if (detail == InstanceDetail::Full) {
      BERTH_TRY(auto documents, snapshots_of(context_, instance.uuid, snapshots[instance.uuid]));
      now.emplace("snapshots", std::move(documents));
      BERTH_TRY(const auto backups, context_.backups.list(instance.uuid));
      std::vector<Document> kept;
      for (const auto& backup : backups) kept.push_back(backup_document(backup));
      now.emplace("backups", std::move(kept));
    }
    rows.add(*members, now);
    return {};
  };
  for (const auto& instance : instances) {
    const auto added = add(instance);
    if (!added && (names || added.error().code != Code::NotFound)) return added.error();  // else it went in this moment
  }
  return std::move(rows).take();
}

Result<Document> InstanceQuery::config(const Principal& who, const ProjectName& project, const InstanceName& name) {
  BERTH_TRY(auto instance, context_.store.instance(who, project, name));
  BERTH_TRY(auto all, expanded(context_, instance));
  auto row = status_document(context_.runtime.status(instance.uuid));
  row.merge(instance_document(std::move(instance), std::move(all)));
  return row;
}

Result<Document> InstanceQuery::state(const Principal& who, const ProjectName& project, const InstanceName& name) {
  BERTH_TRY(const auto instance, context_.store.instance(who, project, name));
  return state_or_status(context_, instance.uuid, true);
}

Result<InstanceRow> InstanceQuery::by_pid(const Principal& who, std::int32_t pid) {
  BERTH_TRY(const auto uuid, context_.runtime.instance_of(pid));
  BERTH_TRY(const auto seen, context_.store.instance_by_uuid(uuid));
  return row(who, seen.project, seen.name);  // asked again as the caller, from whom it may be hidden
}

Result<InstanceRow> InstanceQuery::row(const Principal& who, const ProjectName& project, const InstanceName& name) {
  BERTH_TRY(const auto instance, context_.store.instance(who, project, name));
  return row_of(context_, summary_of(instance));
}

}  // namespace berth::services
