#pragma once

#include <map>
#include <memory>
#include <string>

#include "daemon/bus/guard.hpp"
#include "daemon/bus/object_index.hpp"
#include "daemon/bus/object_call.hpp"
#include "daemon/bus/served_object.hpp"
#include "daemon/bus/use_cases.hpp"
#include "dbus-interfaces/storagepool_adaptor.hpp"

namespace berth::bus {

/// org.berth.Berth1.StoragePool for every pool: the path of a call says which. Loop thread only.
class StoragePoolAdaptor final : public org::berth::Berth1::StoragePool_adaptor {
 public:
  StoragePoolAdaptor(BusConnection& connection, Guard& guard, UseCases use_cases, const ObjectIndex& index);

 private:
  using Options = std::map<std::string, sdbus::Variant>;

  StoragePoolAdaptor(std::unique_ptr<ServedObject> object, Guard& guard, UseCases use_cases, const ObjectIndex& index);
  template <typename... Out, typename Handler>
  void run(sdbus::Result<Out...>&& reply, Handler handler);

  void GetConfig(sdbus::Result<Options>&& reply) override;
  void GetResources(sdbus::Result<Options>&& reply) override;
  std::string Name() override;
  std::string Driver() override;

  std::unique_ptr<ServedObject> object_;
  Guard& guard_;
  const UseCases use_cases_;
  const ObjectIndex& index_;
};

}  // namespace berth::bus
