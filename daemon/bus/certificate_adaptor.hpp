#pragma once

#include <map>
#include <memory>
#include <string>

#include "daemon/bus/guard.hpp"
#include "daemon/bus/object_call.hpp"
#include "daemon/bus/served_object.hpp"
#include "daemon/bus/use_cases.hpp"
#include "dbus-interfaces/certificate_adaptor.hpp"

namespace berth::bus {

/// org.berth.Berth1.Certificate for every trusted client: the path of a call says which. Loop thread only.
class CertificateAdaptor final : public org::berth::Berth1::Certificate_adaptor {
 public:
  CertificateAdaptor(BusConnection& connection, Guard& guard, UseCases use_cases);

 private:
  using Options = std::map<std::string, sdbus::Variant>;

  CertificateAdaptor(std::unique_ptr<ServedObject> object, Guard& guard, UseCases use_cases);
  template <typename... Out, typename Handler>
  void run(sdbus::Result<Out...>&& reply, Handler handler);

  void GetConfig(sdbus::Result<Options>&& reply) override;
  void Update(sdbus::Result<>&& reply, Options changes, Options options) override;
  void Delete(sdbus::Result<>&& reply) override;
  std::string Fingerprint() override;

  std::unique_ptr<ServedObject> object_;
  Guard& guard_;
  const UseCases use_cases_;
};

}  // namespace berth::bus
