#include <charconv>
#include <utility>

#include "rest-bridge/api/common.hpp"

namespace berth::rest {
namespace {

/// The API has a null where a machine has no such part, and a number where D-Bus carries a decimal text.
Json shown_resources(Json row) {
  auto& system = row["system"];
  if (!system.is_object()) system = Json::object();
  for (const auto* part : {"firmware", "chassis", "motherboard"})
    if (!system.contains(part)) system[part] = nullptr;
  for (auto& device : row["usb"]["devices"]) {
    const auto text = device.value("speed", "0");
    double speed = 0;
    (void)std::from_chars(text.data(), text.data() + text.size(), speed);
    device["speed"] = speed;
  }
  return row;
}

Answer get_resources(Context& context) {
  Call call = manager_call("DescribeResources", {});
  call.arguments.emplace_back(Options());
  BERTH_CO_TRY(Json rows, co_await context.bus.describe(std::move(call)));
  if (rows.empty() || !rows.front().is_object()) co_return Error{Code::Internal, "the daemon did not describe its host"};
  co_return sync_answer(shown_resources(std::move(rows.front())));
}

constexpr Route kRoutes[] = {
    {"GET", "/1.0/resources", "Manager.DescribeResources", "view", get_resources},
};

}  // namespace

std::span<const Route> resource_routes() { return kRoutes; }

}  // namespace berth::rest
