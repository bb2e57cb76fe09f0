#pragma once

#include <deque>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/bus/bus_connection.hpp"
#include "daemon/ports/bus_calls.hpp"

namespace berth::bus {

/// systemd over the daemon's own connection: a worker's call is carried to the loop and the worker waits. Made and destroyed
/// on the loop thread; the calls are for workers.
class SystemdBusCalls final : public ports::SystemdCalls {
 public:
  explicit SystemdBusCalls(BusConnection& connection);
  bool available() override;
  Result<void> start_unit(const std::string& unit) override;
  Result<void> stop_unit(const std::string& unit) override;
  Result<void> kill_unit(const std::string& unit, std::int32_t signal) override;
  Result<void> reset_failed_unit(const std::string& unit) override;
  Result<std::vector<std::string>> active_units(const std::string& pattern) override;

 private:
  template <typename Value>
  using Promise = std::shared_ptr<std::promise<Result<Value>>>;
  using Job = Promise<void>;

  /// Runs `begin` on the loop and waits for what it promises.
  template <typename Value>
  Result<Value> ask(const std::string& what, std::function<void(Promise<Value>)> begin);
  Result<void> run_job(const std::string& verb, const std::string& unit);
  void await_job(const std::string& path, const std::string& what, Job job);
  void job_removed(const std::string& path, const std::string& result);
  void subscribe();

  struct WaitingJob {
    std::string what;
    Job job;
  };
  BusConnection& connection_;
  std::unique_ptr<sdbus::IProxy> systemd_;
  std::unique_ptr<sdbus::IProxy> driver_;
  bool subscribed_ = false;
  std::map<std::string, WaitingJob> jobs_;
  /// Jobs that ended before the reply that names them was read.
  std::deque<std::pair<std::string, std::string>> ended_;
};

}  // namespace berth::bus
