#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "daemon/domain/instance.hpp"
#include "daemon/domain/storage_pool.hpp"
#include "daemon/ports/container_runtime.hpp"
#include "daemon/ports/storage_driver.hpp"
#include "daemon/services/context.hpp"

namespace berth::services {

/// How pools come to be: main knows the drivers.
struct PoolFactory {
  /// Name of the driver for a first pool in `folder`, by what its file system carries: `overlay` or `dir`.
  std::function<std::string(const std::string& folder)> choose_driver;
  /// The driver of a pool, its folder made where absent.
  std::function<Result<std::shared_ptr<ports::StorageDriver>>(const StoragePool& pool)> open;
};

/// Brings database, disk and running containers to one truth: at start, and whenever a container ends. Blocking; workers only.
class Reconcile {
 public:
  Reconcile(Context& context, PoolFactory pools) : context_(context), pools_(std::move(pools)) {}
  /// Before the bus name is taken: makes pool `default` and profile `default` where absent, finishes or rolls back intents,
  /// collects exit files, reopens operations of running execs, empties the trash in the background.
  Result<void> at_start();
  /// After it: boot.autostart and last state, by priority, once a host boot. Returns at once; the starts go on, on workers.
  void autostart();
  /// The runtime's on_started.
  void started(const Uuid& instance);
  /// The runtime's on_exit: state, lifecycle event, ephemeral delete, reboot → start anew. May wait for the instance's lock:
  /// WorkerPool::submit_long.
  void ended(const Uuid& instance, const ports::ExitReport& report);
  /// The runtime's on_exec_finished.
  void exec_finished(const OperationId& id, int code);

 private:
  void settle(const Instance& instance, const ports::ExitReport& report);
  Result<void> open_pools();
  Result<void> make_default_profile();
  Result<void> settle_intents();
  Result<void> settle_intent(const ports::Intent& intent);
  Result<void> settle_snapshot(const ports::Intent& intent);
  Result<void> settle_images();
  Result<void> settle_instances();
  void settle_running(const Instance& instance);
  void settle_stopped(const Instance& instance, bool same_boot);
  void warn_of_strays(const std::vector<Instance>& instances);
  /// Whether a daemon of this boot has been through autostart().
  bool boot_was_seen() const;
  void remember_boot() const;
  void autostart_from(std::size_t index, std::shared_ptr<std::vector<Instance>> instances,
                      std::shared_ptr<std::vector<std::chrono::seconds>> delays);

  Context& context_;
  PoolFactory pools_;
};

}  // namespace berth::services
