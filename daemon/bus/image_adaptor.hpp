#pragma once

#include <map>
#include <memory>
#include <string>

#include "daemon/bus/guard.hpp"
#include "daemon/bus/object_index.hpp"
#include "daemon/bus/object_call.hpp"
#include "daemon/bus/served_object.hpp"
#include "daemon/bus/use_cases.hpp"
#include "dbus-interfaces/image_adaptor.hpp"

namespace berth::bus {

/// org.berth.Berth1.Image for every image: the path of a call says which. Loop thread only.
class ImageAdaptor final : public org::berth::Berth1::Image_adaptor {
 public:
  ImageAdaptor(BusConnection& connection, Guard& guard, UseCases use_cases, const ObjectIndex& index);

 private:
  using Options = std::map<std::string, sdbus::Variant>;
  using Names = InProject<berth::Fingerprint>;

  ImageAdaptor(std::unique_ptr<ServedObject> object, Guard& guard, UseCases use_cases);
  template <typename... Out, typename Handler>
  void run(sdbus::Result<Out...>&& reply, Handler handler);

  void GetDetails(sdbus::Result<Options>&& reply) override;
  void Update(sdbus::Result<>&& reply, Options changes, Options options) override;
  void Delete(sdbus::Result<sdbus::ObjectPath>&& reply, Options options) override;
  void Refresh(sdbus::Result<sdbus::ObjectPath>&& reply, Options options) override;
  void CreateSecret(sdbus::Result<sdbus::ObjectPath>&& reply, Options options) override;
  void Export(sdbus::Result<Options>&& reply, sdbus::UnixFd target, Options options) override;
  std::string Fingerprint() override;
  std::string Project() override;

  std::unique_ptr<ServedObject> object_;
  Guard& guard_;
  const UseCases use_cases_;
};

}  // namespace berth::bus
