#pragma once

#include <memory>
#include <string>

#include "daemon/bus/guard.hpp"
#include "daemon/bus/principals.hpp"
#include "daemon/bus/served_object.hpp"
#include "dbus-interfaces/session_adaptor.hpp"

namespace berth::bus {

/// org.berth.Berth1.Session at the root, for the REST bridge alone. Loop thread only.
class SessionAdaptor final : public org::berth::Berth1::Session_adaptor {
 public:
  /// `listener_path`: the REST bridge's listening socket.
  SessionAdaptor(BusConnection& connection, Guard& guard, Principals& principals, std::string listener_path);

 private:
  SessionAdaptor(std::unique_ptr<ServedObject> object, Guard& guard, Principals& principals, std::string listener_path);
  void AssumePeer(sdbus::Result<>&& reply, sdbus::UnixFd socket) override;

  std::unique_ptr<ServedObject> object_;
  Guard& guard_;
  Principals& principals_;
  const std::string listener_path_;
};

}  // namespace berth::bus
