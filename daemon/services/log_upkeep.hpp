#pragma once

#include "base/result.hpp"
#include "daemon/services/context.hpp"

namespace berth::services {

/// Removes what commands with `record-output` wrote when it has not changed for two days, as LXD does. The other logs are as many
/// as there are instances, and go with them. Outlived by nothing: main makes it.
class LogUpkeep {
 public:
  explicit LogUpkeep(Context& context) : context_(context) {}
  /// Does what is due, and again each hour. A worker.
  void keep_going();
  /// How many files went.
  Result<std::size_t> expire();

 private:
  Context& context_;
};

}  // namespace berth::services
