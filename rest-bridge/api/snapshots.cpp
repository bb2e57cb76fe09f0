#include <utility>

#include "rest-bridge/api/common.hpp"
#include "rest-bridge/api/rows.hpp"

namespace berth::rest {
namespace {

Json shown_snapshot(Json row) { return to_api(std::move(row), Resource::InstanceSnapshot); }

/// A PUT can change the expiry alone.
std::string snapshot_etag(const Json& row) { return etag_of(Json::array({row.value("expires_at", Json())})); }

Task<Result<Json>> describe(Context& context, Options options) {
  BERTH_CO_TRY(Call call, instance_call(context, "DescribeSnapshots", {}));
  call.arguments.emplace_back(std::move(options));
  co_return co_await context.bus.describe(std::move(call));
}

/// The row of the route's snapshot.
Task<Result<Json>> describe_one(Context& context) {
  const auto& name = context.parameter("snapshot");
  const Error missing{Code::NotFound, "Failed to fetch snapshot \"" + name + "\" of instance \"" + context.parameter("name") +
                                          "\" in project \"" + context.one_project() + "\": InstanceSnapshot not found"};
  if (!SnapshotName::parse(name)) co_return Error(missing);
  Options options;
  options["names"] = Strings(1, name);
  BERTH_CO_TRY(Json rows, co_await describe(context, std::move(options)));
  if (rows.empty()) co_return Error(missing);
  co_return std::move(rows.front());
}

/// A call about the route's snapshot.
Result<Call> snapshot_call(const Context& context, std::string member) {
  BERTH_TRY(auto call, instance_call(context, std::move(member), {}));
  call.arguments.emplace_back(context.parameter("snapshot"));
  return call;
}

Answer list_snapshots(Context& context) {
  BERTH_CO_TRY(Json rows, co_await describe(context, Options()));
  auto objects = Json::array();
  for (auto& row : rows) objects.push_back(shown_snapshot(std::move(row)));
  if (context.recursion() >= 1) co_return sync_answer(objects);
  co_return sync_answer(urls_below_instance(context, "snapshots", objects));
}

Answer create_snapshot(Context& context) {
  BERTH_CO_TRY(Json body, body_of(context));
  BERTH_CO_TRY(std::string name, text_field(body, "name"));
  BERTH_CO_TRY(bool stateful, bool_field(body, "stateful"));
  Options options;
  if (stateful) options["stateful"] = true;
  // null asks for the expiry that is configured, the zero time for none.
  if (has_field(body, "expires_at")) {
    BERTH_CO_TRY(std::uint64_t expires_at, time_field(body, "expires_at"));
    options["expires_at"] = expires_at;
  }
  BERTH_CO_TRY(Call call, instance_call(context, "CreateSnapshot", {}));
  call.arguments.emplace_back(std::move(name));
  call.arguments.emplace_back(std::move(options));
  co_return co_await run_operation(context, std::move(call));
}

Answer get_snapshot(Context& context) {
  BERTH_CO_TRY(Json row, co_await describe_one(context));
  const auto etag = snapshot_etag(row);
  co_return with_etag(sync_answer(shown_snapshot(std::move(row))), etag);
}

/// The Update call; a body without an expiry changes nothing.
Task<Result<Call>> update_call(Context& context) {
  BERTH_CO_TRY(Json body, body_of(context));
  Options changes;
  if (has_field(body, "expires_at")) {
    BERTH_CO_TRY(std::uint64_t expires_at, time_field(body, "expires_at"));
    changes["expires_at"] = expires_at;
  }
  Options options;
  if (!context.request.headers.get("If-Match").empty()) {
    BERTH_CO_TRY(Json row, co_await describe_one(context));
    BERTH_CO_TRY(const auto revision, checked_revision(context, snapshot_etag(row), row));
    if (revision) options["if-revision"] = *revision;
  }
  BERTH_CO_TRY(Call call, snapshot_call(context, "UpdateSnapshot"));
  call.arguments.emplace_back(std::move(changes));
  call.arguments.emplace_back(std::move(options));
  co_return call;
}

/// PUT and PATCH: an expiry is all there is to change.
Answer change_snapshot(Context& context) {
  BERTH_CO_TRY(Call call, co_await update_call(context));
  co_return co_await run_operation(context, std::move(call));
}

Answer rename_snapshot(Context& context) {
  BERTH_CO_TRY(Json body, body_of(context));
  BERTH_CO_TRY(bool migration, bool_field(body, "migration"));
  if (migration) co_return Error{Code::NotSupported, "migrating snapshots to another server is not supported"};
  BERTH_CO_TRY(std::string name, text_field(body, "name"));
  BERTH_CO_TRY(Call call, snapshot_call(context, "RenameSnapshot"));
  call.arguments.emplace_back(std::move(name));
  call.arguments.emplace_back(Options());
  co_return co_await run_operation(context, std::move(call));
}

Answer delete_snapshot(Context& context) {
  BERTH_CO_CHECK(co_await describe_one(context));  // for LXD's words about one that is not there
  BERTH_CO_TRY(Call call, snapshot_call(context, "DeleteSnapshot"));
  call.arguments.emplace_back(Options());
  co_return co_await run_operation(context, std::move(call));
}

constexpr Route kRoutes[] = {
    {"GET", "/1.0/instances/{name}/snapshots", "Instance.DescribeSnapshots", "view", list_snapshots},
    {"POST", "/1.0/instances/{name}/snapshots", "Instance.CreateSnapshot", "manage-instances", create_snapshot},
    {"GET", "/1.0/instances/{name}/snapshots/{snapshot}", "Instance.DescribeSnapshots", "view", get_snapshot},
    {"PUT", "/1.0/instances/{name}/snapshots/{snapshot}", "Instance.UpdateSnapshot", "manage-instances", change_snapshot},
    {"PATCH", "/1.0/instances/{name}/snapshots/{snapshot}", "Instance.UpdateSnapshot", "manage-instances", change_snapshot},
    {"POST", "/1.0/instances/{name}/snapshots/{snapshot}", "Instance.RenameSnapshot", "manage-instances", rename_snapshot},
    {"DELETE", "/1.0/instances/{name}/snapshots/{snapshot}", "Instance.DeleteSnapshot", "manage-instances", delete_snapshot},
};

}  // namespace

std::span<const Route> snapshot_routes() { return kRoutes; }

}  // namespace berth::rest
