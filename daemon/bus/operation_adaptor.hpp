#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/bus/event_loop.hpp"
#include "daemon/bus/guard.hpp"
#include "daemon/bus/served_object.hpp"
#include "daemon/bus/use_cases.hpp"
#include "daemon/domain/operation.hpp"
#include "dbus-interfaces/operation_adaptor.hpp"

namespace berth::bus {

/// org.berth.Berth1.Operation for every operation that runs or ended less than 60 s ago, with the latest snapshot of each for
/// its properties. Operations of `user-*` projects have methods only. Loop thread only.
class OperationAdaptor final : public org::berth::Berth1::Operation_adaptor {
 public:
  OperationAdaptor(BusConnection& connection, Guard& guard, UseCases use_cases, ObjectManager& manager);

  /// An operation has begun or changed: signals what is different.
  void note(const OperationView& view);
  std::vector<std::string> paths() const;

 private:
  using Options = std::map<std::string, sdbus::Variant>;

  OperationAdaptor(std::unique_ptr<ServedObject> object, BusConnection& connection, Guard& guard, UseCases use_cases,
                   ObjectManager& manager);
  template <typename... Out, typename Handler>
  void run(sdbus::Result<Out...>&& reply, Handler handler);
  void arm_expiry();
  void expire();
  const OperationView& view_here() const;

  void Begin(sdbus::Result<>&& reply) override;
  void Cancel(sdbus::Result<>&& reply) override;
  void GetResult(sdbus::Result<Options>&& reply, Options options) override;
  void SendSignal(sdbus::Result<>&& reply, int32_t signal) override;

  std::string Kind() override;
  std::string Status() override;
  std::string Progress() override;
  std::vector<sdbus::ObjectPath> Resources() override;
  bool Cancellable() override;
  uint64_t CreatedAt() override;
  uint64_t UpdatedAt() override;
  std::string Error() override;

  std::unique_ptr<ServedObject> object_;
  EventLoop& loop_;
  Guard& guard_;
  const UseCases use_cases_;
  ObjectManager& manager_;
  std::map<std::string, OperationView, std::less<>> views_;  ///< by path
  EventSource expiry_;
};

}  // namespace berth::bus
