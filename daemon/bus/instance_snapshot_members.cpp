#include <optional>

#include "daemon/bus/answers.hpp"
#include "daemon/bus/instance_adaptor.hpp"

namespace berth::bus {
namespace {

/// The name of a snapshot that is there: one that none can have names nothing.
Result<SnapshotName> known_name(const std::string& text) {
  if (auto name = SnapshotName::parse(text)) return name;
  return Error{Code::NotFound, "Snapshot \"" + text + "\" not found"};
}

/// The name for a snapshot.
Result<SnapshotName> new_name(const std::string& text) {
  if (text.find('/') != std::string::npos)
    return Error{Code::InvalidArgument, "Invalid snapshot name: Cannot contain \"/\""};
  return SnapshotName::parse(text);
}

services::InstanceRef ref(const InProject<InstanceName>& it) { return {it.project, it.name}; }

}  // namespace

void InstanceAdaptor::CreateSnapshot(sdbus::Result<Path>&& reply, std::string name, Options options) {
  run(std::move(reply), [this, name, options = std::move(options)](const Principal& who, const Names& it) -> Result<Path> {
    services::SnapshotRequest request;
    OptionReader reader{options};
    reader.read("expires_at", request.expires_at);
    reader.read("stateful", request.stateful);
    BERTH_CHECK(reader.finish());
    if (!name.empty()) {
      BERTH_TRY(request.name, new_name(name));
    }
    return operation_answer(use_cases_.snapshots.create(who, ref(it), std::move(request)));
  });
}

void InstanceAdaptor::ListSnapshots(sdbus::Result<std::vector<sdbus::Struct<std::string, uint64_t, uint64_t>>>&& reply) {
  using Rows = std::vector<sdbus::Struct<std::string, uint64_t, uint64_t>>;
  run(std::move(reply), [this](const Principal& who, const Names& it) -> Result<Rows> {
    BERTH_TRY(const auto snapshots, use_cases_.snapshots.list(who, ref(it)));
    Rows rows;
    for (const auto& row : snapshots)
      rows.emplace_back(row.name.str(), to_microseconds(row.created_at), to_microseconds(row.expires_at));
    return rows;
  });
}

void InstanceAdaptor::DescribeSnapshots(sdbus::Result<sdbus::UnixFd>&& reply, Options options) {
  run(std::move(reply), [this, options = std::move(options)](const Principal& who, const Names& it) -> Result<sdbus::UnixFd> {
    std::optional<std::vector<SnapshotName>> names;
    OptionReader reader{options};
    reader.read("names", names);
    BERTH_CHECK(reader.finish());
    return rows_answer(use_cases_.snapshots.describe(who, ref(it), names));
  });
}

void InstanceAdaptor::RestoreSnapshot(sdbus::Result<Path>&& reply, std::string name, Options options) {
  run(std::move(reply), [this, name, options = std::move(options)](const Principal& who, const Names& it) -> Result<Path> {
    BERTH_CHECK(no_options(options));
    BERTH_TRY(const auto snapshot, known_name(name));
    return operation_answer(use_cases_.snapshots.restore(who, ref(it), snapshot));
  });
}

void InstanceAdaptor::RenameSnapshot(sdbus::Result<Path>&& reply, std::string name, std::string to, Options options) {
  run(std::move(reply), [this, name, to, options = std::move(options)](const Principal& who, const Names& it) -> Result<Path> {
    BERTH_CHECK(no_options(options));
    BERTH_TRY(const auto snapshot, known_name(name));
    BERTH_TRY(const auto wanted, new_name(to));
    return operation_answer(use_cases_.snapshots.rename(who, ref(it), snapshot, wanted));
  });
}

void InstanceAdaptor::UpdateSnapshot(sdbus::Result<Path>&& reply, std::string name, Options changes, Options options) {
  run(std::move(reply), [this, name, changes = std::move(changes), options = std::move(options)](
                            const Principal& who, const Names& it) -> Result<Path> {
    std::optional<Timestamp> expires_at;
    OptionReader reader{changes};
    reader.read("expires_at", expires_at);
    BERTH_CHECK(reader.finish());
    std::optional<std::uint64_t> if_revision;
    OptionReader how{options};
    how.read("if-revision", if_revision);
    BERTH_CHECK(how.finish());
    BERTH_TRY(const auto snapshot, known_name(name));
    return operation_answer(use_cases_.snapshots.update(who, ref(it), snapshot, expires_at, if_revision));
  });
}

void InstanceAdaptor::DeleteSnapshot(sdbus::Result<Path>&& reply, std::string name, Options options) {
  run(std::move(reply), [this, name, options = std::move(options)](const Principal& who, const Names& it) -> Result<Path> {
    BERTH_CHECK(no_options(options));
    BERTH_TRY(const auto snapshot, known_name(name));
    return operation_answer(use_cases_.snapshots.remove(who, ref(it), snapshot));
  });
}

}  // namespace berth::bus
