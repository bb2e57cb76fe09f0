#include <memory>
#include <optional>

#include "daemon/bus/answers.hpp"
#include "daemon/bus/instance_adaptor.hpp"
#include "daemon/bus/manager_adaptor.hpp"

namespace berth::bus {
namespace {

/// The name of a backup that is there: one that none can have names nothing.
Result<BackupName> known_name(const std::string& text) {
  if (auto name = BackupName::parse(text)) return name;
  return Error{Code::NotFound, "Load backup from database: Instance backup not found"};
}

/// The name for a backup.
Result<BackupName> new_name(const std::string& text) {
  if (text.find('/') != std::string::npos)
    return Error{Code::InvalidArgument, "Backup names may not contain slashes"};
  return BackupName::parse(text);
}

services::InstanceRef ref(const InProject<InstanceName>& it) { return {it.project, it.name}; }

}  // namespace

void InstanceAdaptor::Export(sdbus::Result<Path>&& reply, sdbus::UnixFd target, Options options) {
  // The only copy here: once it is dropped, whoever reads sees the end.
  const auto to = std::make_shared<Result<UniqueFd>>(take_fd(std::move(target)));
  run(std::move(reply), [this, to, options = std::move(options)](const Principal& who, const Names& it) -> Result<Path> {
    services::BackupRequest request;
    OptionReader reader{options};
    reader.read("instance-only", request.instance_only);
    reader.read("compression", request.compression);
    BERTH_CHECK(reader.finish());
    if (!*to) return to->error();
    return operation_answer(use_cases_.backups.stream(who, ref(it), std::move(request), std::move(**to)));
  });
}

void InstanceAdaptor::CreateBackup(sdbus::Result<Path>&& reply, std::string name, Options options) {
  run(std::move(reply), [this, name, options = std::move(options)](const Principal& who, const Names& it) -> Result<Path> {
    services::BackupRequest request;
    std::optional<Timestamp> expires_at;
    OptionReader reader{options};
    reader.read("expires-at", expires_at);
    reader.read("instance-only", request.instance_only);
    reader.read("optimized", request.optimized);
    reader.read("compression", request.compression);
    BERTH_CHECK(reader.finish());
    request.expires_at = expires_at.value_or(kNever);
    if (!name.empty()) {
      BERTH_TRY(request.name, new_name(name));
    }
    return operation_answer(use_cases_.backups.create(who, ref(it), std::move(request)));
  });
}

void InstanceAdaptor::DescribeBackups(sdbus::Result<sdbus::UnixFd>&& reply, Options options) {
  run(std::move(reply), [this, options = std::move(options)](const Principal& who, const Names& it) -> Result<sdbus::UnixFd> {
    std::optional<std::string> text;
    OptionReader reader{options};
    reader.read("name", text);
    BERTH_CHECK(reader.finish());
    std::optional<BackupName> name;
    if (text) {
      BERTH_TRY(name, known_name(*text));
    }
    return rows_answer(use_cases_.backups.describe(who, ref(it), name));
  });
}

void InstanceAdaptor::RenameBackup(sdbus::Result<Path>&& reply, std::string name, std::string to, Options options) {
  run(std::move(reply), [this, name, to, options = std::move(options)](const Principal& who, const Names& it) -> Result<Path> {
    BERTH_CHECK(no_options(options));
    BERTH_TRY(const auto from, known_name(name));
    BERTH_TRY(const auto wanted, new_name(to));
    return operation_answer(use_cases_.backups.rename(who, ref(it), from, wanted));
  });
}

void InstanceAdaptor::DeleteBackup(sdbus::Result<Path>&& reply, std::string name, Options options) {
  run(std::move(reply), [this, name, options = std::move(options)](const Principal& who, const Names& it) -> Result<Path> {
    BERTH_CHECK(no_options(options));
    BERTH_TRY(const auto known, known_name(name));
    return operation_answer(use_cases_.backups.remove(who, ref(it), known));
  });
}

void InstanceAdaptor::ExportBackup(sdbus::Result<uint64_t>&& reply, std::string name, sdbus::UnixFd target, Options options) {
  const auto to = std::make_shared<Result<UniqueFd>>(take_fd(std::move(target)));
  run(std::move(reply), [this, name, to, options = std::move(options)](const Principal& who, const Names& it) -> Result<uint64_t> {
    BERTH_CHECK(no_options(options));
    BERTH_TRY(const auto known, known_name(name));
    if (!*to) return to->error();
    return use_cases_.backups.send(who, ref(it), known, std::move(**to));
  });
}

void ManagerAdaptor::ImportInstance(sdbus::Result<Path>&& reply, std::string project, sdbus::UnixFd backup, Options options) {
  // The pipe's only copy here: once it is dropped, whoever writes learns that nobody reads.
  const auto from = std::make_shared<Result<UniqueFd>>(take_fd(std::move(backup)));
  guard_.run(call_about(project), std::move(reply),
             [this, project, from, options = std::move(options)](const Principal& who) -> Result<Path> {
               BERTH_TRY(auto project_name, ProjectName::parse(project));
               std::optional<InstanceName> name;
               std::optional<PoolName> pool;
               OptionReader reader{options};
               reader.read("name", name);
               reader.read("pool", pool);
               BERTH_CHECK(reader.finish());
               if (!*from) return from->error();
               return operation_answer(use_cases_.backup_import.import(
                   who, {.project = std::move(project_name), .backup = std::move(**from), .name = std::move(name), .pool = std::move(pool)}));
             });
}

}  // namespace berth::bus
