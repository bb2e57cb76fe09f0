#pragma once

#include "daemon/domain/instance.hpp"
#include "daemon/domain/snapshot.hpp"
#include "daemon/domain/types.hpp"
#include "daemon/services/context.hpp"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace berth::services {

/// Takes the snapshots that `snapshots.schedule` asks for and deletes those whose time is over. One timer, armed for
/// the next minute in which there is something to do; none while there is nothing. Any thread. It outlives the workers.
class SnapshotSchedule {
 public:
  explicit SnapshotSchedule(Context& context) : context_(context) {}

  /// Arms the timer for the first time. The minute that runs is over for it: another daemon may have served it.
  void begin();
  /// What a lifecycle event means for it: a schedule or an expiry may have come, and is looked for a little later.
  void heard(const std::string& action);
  /// Does what is due now and tells when there is more; the timer's work. Snapshots are operations of their own, and so
  /// is the deletion of all that expired.
  std::optional<Timestamp> run();

 private:
  void arm();
  std::optional<Timestamp> delete_expired(Timestamp now);
  std::optional<Timestamp> take_due(Timestamp minute, bool new_minute);
  Result<Document> clean_up(const std::vector<Snapshot>& expired);

  Context& context_;
  std::mutex running_;       ///< one run at a time
  Timestamp last_minute_{};  ///< the last one that was served
  std::atomic<std::uint64_t> armed_ = 0;  ///< a timer of an older number has nothing to do any more
  std::atomic<bool> looking_ = false;     ///< a look is on its way
};

}  // namespace berth::services
