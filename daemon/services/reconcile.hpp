#pragma once

#include "base/result.hpp"
#include "daemon/ports/container_runtime.hpp"
#include "daemon/services/context.hpp"

namespace berth::services {

/// Brings database, disk and running containers to one truth: at start, and whenever a container ends. Blocking; workers only.
class Reconcile {
 public:
  explicit Reconcile(Context& context) : context_(context) {}
  /// Before the bus name is taken: makes pool `default` and profile `default` where absent, finishes or rolls back intents,
  /// collects exit files, reopens operations of running execs, empties the trash in the background.
  Result<void> at_start();
  /// After it: boot.autostart and last state (behaviours.md 1), once a host boot.
  void autostart();
  /// A container ended: state, lifecycle event, ephemeral delete, reboot → start anew.
  void ended(const Uuid& instance, const ports::ExitReport& report);
  void exec_finished(const OperationId& id, int code);

 private:
  Context& context_;
};

}  // namespace berth::services
