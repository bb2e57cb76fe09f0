#pragma once

#include <map>
#include <memory>
#include <string>

#include "daemon/bus/guard.hpp"
#include "daemon/bus/object_index.hpp"
#include "daemon/bus/object_call.hpp"
#include "daemon/bus/served_object.hpp"
#include "daemon/bus/use_cases.hpp"
#include "dbus-interfaces/profile_adaptor.hpp"

namespace berth::bus {

/// org.berth.Berth1.Profile for every profile: the path of a call says which. Loop thread only.
class ProfileAdaptor final : public org::berth::Berth1::Profile_adaptor {
 public:
  ProfileAdaptor(BusConnection& connection, Guard& guard, UseCases use_cases, const ObjectIndex& index);

 private:
  using Options = std::map<std::string, sdbus::Variant>;
  using Names = InProject<ProfileName>;

  ProfileAdaptor(std::unique_ptr<ServedObject> object, Guard& guard, UseCases use_cases);
  template <typename... Out, typename Handler>
  void run(sdbus::Result<Out...>&& reply, Handler handler);

  void GetConfig(sdbus::Result<Options>&& reply) override;
  void Update(sdbus::Result<>&& reply, Options changes, Options options) override;
  void Rename(sdbus::Result<sdbus::ObjectPath>&& reply, std::string name) override;
  void Delete(sdbus::Result<>&& reply) override;
  std::string Name() override;
  std::string Project() override;

  std::unique_ptr<ServedObject> object_;
  Guard& guard_;
  const UseCases use_cases_;
};

}  // namespace berth::bus
