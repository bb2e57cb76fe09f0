#include "daemon/bus/systemd_calls.hpp"

#include <utility>

namespace berth::bus {
namespace {

constexpr auto kName = "org.freedesktop.systemd1";
constexpr auto kManager = "org.freedesktop.systemd1.Manager";
constexpr auto kDriver = "org.freedesktop.DBus";
constexpr std::chrono::seconds kCallTimeout{30};
/// A unit may take its own time-outs (90 s each by default) before its job ends.
constexpr std::chrono::minutes kJobPatience{5};
constexpr std::size_t kEndedLimit = 64;

using UnitRow = sdbus::Struct<std::string, std::string, std::string, std::string, std::string, std::string, sdbus::ObjectPath,
                              std::uint32_t, std::string, sdbus::ObjectPath>;

Error not_answering(const std::string& what) { return Error{Code::Unavailable, "systemd did not " + what + " in time"}; }

}  // namespace

SystemdBusCalls::SystemdBusCalls(BusConnection& connection)
    : connection_(connection),
      systemd_(sdbus::createProxy(connection.sdbus(), kName, "/org/freedesktop/systemd1")),
      driver_(sdbus::createProxy(connection.sdbus(), kDriver, "/org/freedesktop/DBus")) {
  systemd_->registerSignalHandler(kManager, "JobRemoved", [this](sdbus::Signal& signal) {
    run_guarded("JobRemoved", [&] {
      std::uint32_t id = 0;
      sdbus::ObjectPath path;
      std::string unit, result;
      signal >> id >> path >> unit >> result;
      job_removed(path, result);
    });
  });
  systemd_->finishRegistration();
}

template <typename Value>
Result<Value> SystemdBusCalls::ask(const std::string& what, std::function<void(Promise<Value>)> begin) {
  const auto promise = std::make_shared<std::promise<Result<Value>>>();
  auto future = promise->get_future();
  if (!connection_.loop().post([begin = std::move(begin), promise] { begin(promise); })) return not_answering(what);
  if (future.wait_for(kJobPatience) != std::future_status::ready) return not_answering(what);
  try {
    return future.get();
  } catch (const std::future_error&) {  // the loop ended and dropped the question
    return not_answering(what);
  }
}

bool SystemdBusCalls::available() {
  const auto has = ask<bool>("come up", [this](Promise<bool> promise) {
    connection_.call(
        *driver_, kDriver, "NameHasOwner", [](sdbus::MethodCall& call) { call << kName; },
        [promise](sdbus::MethodReply* reply, const sdbus::Error* error) {
          const auto said = BusConnection::values_of<bool>(reply, error);
          promise->set_value(said && std::get<0>(*said));
        },
        kCallTimeout);
  });
  return has && *has;
}

Result<void> SystemdBusCalls::start_unit(const std::string& unit) { return run_job("StartUnit", unit); }
Result<void> SystemdBusCalls::stop_unit(const std::string& unit) { return run_job("StopUnit", unit); }

Result<void> SystemdBusCalls::run_job(const std::string& verb, const std::string& unit) {
  const auto what = verb + " " + unit;
  return ask<void>(what, [this, verb, unit, what](Job job) {
    subscribe();
    connection_.call(
        *systemd_, kManager, verb, [&](sdbus::MethodCall& call) { call << unit << std::string("fail"); },
        [this, what, job](sdbus::MethodReply* reply, const sdbus::Error* error) {
          const auto said = BusConnection::values_of<sdbus::ObjectPath>(reply, error);
          if (!said) return job->set_value(Error(said.error()).within(what));
          await_job(std::get<0>(*said), what, job);
        },
        kCallTimeout);
  });
}

void SystemdBusCalls::subscribe() {
  // Without a subscriber systemd sends no JobRemoved. A refusal shows in the job's own call.
  if (std::exchange(subscribed_, true)) return;
  connection_.call(
      *systemd_, kManager, "Subscribe", nullptr,
      [this](sdbus::MethodReply* reply, const sdbus::Error*) { subscribed_ = reply != nullptr; }, kCallTimeout);
}

void SystemdBusCalls::await_job(const std::string& path, const std::string& what, Job job) {
  jobs_[path] = WaitingJob{what, std::move(job)};
  for (auto at = ended_.begin(); at != ended_.end(); ++at)
    if (at->first == path) {
      const auto result = at->second;
      ended_.erase(at);
      return job_removed(path, result);
    }
}

void SystemdBusCalls::job_removed(const std::string& path, const std::string& result) {
  const auto found = jobs_.find(path);
  if (found == jobs_.end()) {
    ended_.emplace_back(path, result);
    if (ended_.size() > kEndedLimit) ended_.pop_front();
    return;
  }
  const auto waiting = std::move(found->second);
  jobs_.erase(found);
  if (result == "done") return waiting.job->set_value(Result<void>{});
  waiting.job->set_value(Error{Code::FailedPrecondition, waiting.what + ": systemd's job ended with '" + result + "'"});
}

Result<void> SystemdBusCalls::kill_unit(const std::string& unit, std::int32_t signal) {
  return ask<void>("kill " + unit, [this, unit, signal](Promise<void> promise) {
    connection_.call(
        *systemd_, kManager, "KillUnit", [&](sdbus::MethodCall& call) { call << unit << std::string("all") << signal; },
        [promise](sdbus::MethodReply* reply, const sdbus::Error* error) {
          promise->set_value(reply != nullptr ? Result<void>{} : Error{Code::Unavailable, error->getMessage()});
        },
        kCallTimeout);
  });
}

Result<void> SystemdBusCalls::reset_failed_unit(const std::string& unit) {
  return ask<void>("reset " + unit, [this, unit](Promise<void> promise) {
    connection_.call(
        *systemd_, kManager, "ResetFailedUnit", [&](sdbus::MethodCall& call) { call << unit; },
        [promise](sdbus::MethodReply* reply, const sdbus::Error* error) {
          promise->set_value(reply != nullptr ? Result<void>{} : Error{Code::Unavailable, error->getMessage()});
        },
        kCallTimeout);
  });
}

Result<std::vector<std::string>> SystemdBusCalls::active_units(const std::string& pattern) {
  using Names = std::vector<std::string>;
  return ask<Names>("list units", [this, pattern](Promise<Names> promise) {
    connection_.call(
        *systemd_, kManager, "ListUnitsByPatterns",
        [&](sdbus::MethodCall& call) { call << Names{"active", "activating", "deactivating", "reloading"} << Names{pattern}; },
        [promise](sdbus::MethodReply* reply, const sdbus::Error* error) {
          const auto said = BusConnection::values_of<std::vector<UnitRow>>(reply, error);
          if (!said) return promise->set_value(said.error());
          Names names;
          for (const auto& row : std::get<0>(*said)) names.push_back(row.get<0>());
          promise->set_value(names);
        },
        kCallTimeout);
  });
}

}  // namespace berth::bus
