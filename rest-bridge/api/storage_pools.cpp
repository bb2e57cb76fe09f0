#include <utility>

#include "base/object_path.hpp"
#include "rest-bridge/api/common.hpp"
#include "rest-bridge/api/rows.hpp"

namespace berth::rest {
namespace {

Json shown_pool(Json row) {
  row["used_by"] = used_by_urls(row.value("used_by", Json::array()));
  auto status = row.value("status", "Created");
  if (status == "created") status = "Created";
  row["status"] = status;
  row["locations"] = Json::array({"none"});
  if (!row.contains("description")) row["description"] = "";
  return to_api(std::move(row), Resource::StoragePool);
}

Result<Call> pool_call(const std::string& name, std::string member) {
  const auto pool = PoolName::parse(name);
  if (!pool) return Error{Code::NotFound, "Storage pool not found"};
  return Call{.path = storage_pool_path(*pool), .interface = "StoragePool", .member = std::move(member), .arguments = {}};
}

Task<Result<Json>> pool_row(Context& context, std::string name) {
  BERTH_CO_TRY(Call call, pool_call(name, "GetConfig"));
  BERTH_CO_TRY(Reply reply, co_await context.bus.call(std::move(call)));
  co_return std::move(reply.values.at(0));
}

Answer list_pools(Context& context) {
  Call call = manager_call("ListStoragePools", {});
  call.arguments.emplace_back(Options());
  BERTH_CO_TRY(Reply reply, co_await context.bus.call(std::move(call)));
  auto list = Json::array();
  for (const auto& row : reply.values.at(0)) {
    const auto name = row.at(1).get<std::string>();
    if (context.recursion() < 1) {
      list.push_back(url_of("storage-pools", name));
      continue;
    }
    BERTH_CO_TRY(Json pool, co_await pool_row(context, name));
    list.push_back(shown_pool(std::move(pool)));
  }
  co_return sync_answer(list);
}

Answer get_pool(Context& context) {
  BERTH_CO_TRY(Json row, co_await pool_row(context, context.parameter("name")));
  auto parts = Json::array();
  for (const auto* field : {"name", "driver", "config"}) parts.push_back(row.value(field, Json()));
  co_return with_etag(sync_answer(shown_pool(std::move(row))), etag_of(parts));
}

Answer get_resources(Context& context) {
  BERTH_CO_TRY(Call call, pool_call(context.parameter("name"), "GetResources"));
  BERTH_CO_TRY(Reply reply, co_await context.bus.call(std::move(call)));
  const auto& row = reply.values.at(0);
  const auto pair = [&](const char* used, const char* total) {
    return Json{{"used", row.value(used, std::uint64_t{0})}, {"total", row.value(total, std::uint64_t{0})}};
  };
  Json resources;
  resources["space"] = pair("space_used", "space_total");
  resources["inodes"] = pair("inodes_used", "inodes_total");
  co_return sync_answer(resources);
}

constexpr Route kRoutes[] = {
    {"GET", "/1.0/storage-pools", "Manager.ListStoragePools, StoragePool.GetConfig", "view", list_pools},
    {"POST", "/1.0/storage-pools", "creating storage pools", "", nullptr},
    {"GET", "/1.0/storage-pools/{name}", "StoragePool.GetConfig", "view", get_pool},
    {"PUT", "/1.0/storage-pools/{name}", "changing storage pools", "", nullptr},
    {"PATCH", "/1.0/storage-pools/{name}", "changing storage pools", "", nullptr},
    {"DELETE", "/1.0/storage-pools/{name}", "deleting storage pools", "", nullptr},
    {"GET", "/1.0/storage-pools/{name}/resources", "StoragePool.GetResources", "view", get_resources},
};

}  // namespace

std::span<const Route> storage_pool_routes() { return kRoutes; }

}  // namespace berth::rest
