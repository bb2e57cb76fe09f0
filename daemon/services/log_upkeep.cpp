#include "daemon/services/log_upkeep.hpp"

#include "base/log.hpp"
#include "daemon/services/instance_logs.hpp"
#include "daemon/services/instance_support.hpp"

namespace berth::services {
namespace {

constexpr std::chrono::hours kEvery{1};
constexpr std::chrono::hours kKept{48};

}  // namespace

void LogUpkeep::keep_going() {
  if (const auto done = expire(); !done) log::warning("Old outputs of commands stay: " + done.error().message);
  context_.workers.submit_after(kEvery, [this] {
    if (!context_.operations.closing()) context_.workers.submit_long([this] { keep_going(); });
  });
}

Result<std::size_t> LogUpkeep::expire() {
  BERTH_TRY(const auto instances, context_.store.instance_summaries(daemon_principal(), std::nullopt));
  const auto before = context_.clock.now() - kKept;
  std::size_t count = 0;
  for (const auto& instance : instances) {
    BERTH_TRY(const auto gone, delete_old_outputs(log_folder(context_, instance.uuid), before));
    count += gone;
  }
  return count;
}

}  // namespace berth::services
