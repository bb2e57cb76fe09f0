#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "rest-bridge/api/common.hpp"
#include "rest-bridge/api/rows.hpp"

namespace berth::rest {
namespace {

/// Its times look as those of a snapshot.
Json shown_backup(Json row) { return to_api(std::move(row), Resource::InstanceSnapshot); }

Task<Result<Json>> describe(Context& context, Options options) {
  BERTH_CO_TRY(Call call, instance_call(context, "DescribeBackups", {}));
  call.arguments.emplace_back(std::move(options));
  co_return co_await context.bus.describe(std::move(call));
}

/// A call about the route's backup.
Result<Call> backup_call(const Context& context, std::string member) {
  BERTH_TRY(auto call, instance_call(context, std::move(member), {}));
  call.arguments.emplace_back(context.parameter("backup"));
  return call;
}

Answer list_backups(Context& context) {
  BERTH_CO_TRY(Json rows, co_await describe(context, Options()));
  auto objects = Json::array();
  for (auto& row : rows) objects.push_back(shown_backup(std::move(row)));
  if (context.recursion() >= 1) co_return sync_answer(objects);
  co_return sync_answer(urls_below_instance(context, "backups", objects));
}

Answer create_backup(Context& context) {
  BERTH_CO_TRY(Json body, body_of(context));
  BERTH_CO_TRY(std::string name, text_field(body, "name"));
  Options options;
  // Older clients have other names for the same.
  for (const auto* const field : {"expires_at", "expiry"}) {
    BERTH_CO_TRY(std::uint64_t expires_at, time_field(body, field));
    if (expires_at != 0) options["expires-at"] = expires_at;
  }
  for (const auto* const field : {"instance_only", "container_only"}) {
    BERTH_CO_TRY(bool only, bool_field(body, field));
    if (only) options["instance-only"] = true;
  }
  BERTH_CO_TRY(bool optimized, bool_field(body, "optimized_storage"));
  if (optimized) options["optimized"] = true;
  BERTH_CO_TRY(std::string compression, text_field(body, "compression_algorithm"));
  if (!compression.empty()) options["compression"] = std::move(compression);
  BERTH_CO_TRY(Call call, instance_call(context, "CreateBackup", {}));
  call.arguments.emplace_back(std::move(name));
  call.arguments.emplace_back(std::move(options));
  co_return co_await run_operation(context, std::move(call));
}

Answer get_backup(Context& context) {
  Options options;
  options["name"] = context.parameter("backup");
  BERTH_CO_TRY(Json rows, co_await describe(context, std::move(options)));
  if (rows.empty()) co_return Error{Code::NotFound, "Load backup from database: Instance backup not found"};
  co_return sync_answer(shown_backup(std::move(rows.front())));
}

Answer rename_backup(Context& context) {
  BERTH_CO_TRY(Json body, body_of(context));
  BERTH_CO_TRY(std::string name, text_field(body, "name"));
  BERTH_CO_TRY(Call call, backup_call(context, "RenameBackup"));
  call.arguments.emplace_back(std::move(name));
  call.arguments.emplace_back(Options());
  co_return co_await run_operation(context, std::move(call));
}

Answer delete_backup(Context& context) {
  BERTH_CO_TRY(Call call, backup_call(context, "DeleteBackup"));
  call.arguments.emplace_back(Options());
  co_return co_await run_operation(context, std::move(call));
}

Answer export_backup(Context& context) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) co_return system_error("cannot make a pipe", errno);
  UniqueFd reading(ends[0]), writing(ends[1]);
  BERTH_CO_TRY(Call call, backup_call(context, "ExportBackup"));
  call.arguments.emplace_back(Handle{writing.get()});
  call.arguments.emplace_back(Options());
  auto made = co_await context.bus.call(std::move(call));
  writing.reset();  // the daemon's alone: its end is the end
  BERTH_CO_TRY(Reply reply, std::move(made));
  auto response = raw_answer(std::move(reading), "application/octet-stream");
  std::get<FileBody>(response.body).size = reply.values.at(0).get<std::uint64_t>();
  response.headers.add("Content-Disposition", "inline;filename=");  // as LXD has it
  co_return response;
}

constexpr Route kRoutes[] = {
    {"GET", "/1.0/instances/{name}/backups", "Instance.DescribeBackups", "view", list_backups},
    {"POST", "/1.0/instances/{name}/backups", "Instance.CreateBackup", "access-instances", create_backup},
    {"GET", "/1.0/instances/{name}/backups/{backup}", "Instance.DescribeBackups", "view", get_backup},
    {"POST", "/1.0/instances/{name}/backups/{backup}", "Instance.RenameBackup", "manage-instances", rename_backup},
    {"DELETE", "/1.0/instances/{name}/backups/{backup}", "Instance.DeleteBackup", "manage-instances", delete_backup},
    {"GET", "/1.0/instances/{name}/backups/{backup}/export", "Instance.ExportBackup", "access-instances", export_backup},
};

}  // namespace

std::span<const Route> backup_routes() { return kRoutes; }

}  // namespace berth::rest
