#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "daemon/bus/guard.hpp"
#include "daemon/bus/principals.hpp"
#include "daemon/bus/served_object.hpp"
#include "daemon/bus/use_cases.hpp"
#include "dbus-interfaces/session_adaptor.hpp"

namespace berth::bus {

/// org.berth.Berth1.Session at the root, for the REST bridge alone. Loop thread only.
class SessionAdaptor final : public org::berth::Berth1::Session_adaptor {
 public:
  /// `listener_path`: the REST bridge's listening socket.
  SessionAdaptor(BusConnection& connection, Guard& guard, Principals& principals, UseCases use_cases,
                 std::string listener_path);
  /// GetListeners has something else to say.
  void listeners_changed();

 private:
  SessionAdaptor(std::unique_ptr<ServedObject> object, Guard& guard, Principals& principals, UseCases use_cases,
                 std::string listener_path);
  void AssumePeer(sdbus::Result<>&& reply, sdbus::UnixFd socket) override;
  void AddPeer(sdbus::Result<>&& reply, sdbus::UnixFd socket) override;
  void AssumeCertificate(sdbus::Result<>&& reply, std::vector<std::uint8_t> certificate) override;
  void GetListeners(sdbus::Result<sdbus::UnixFd, std::vector<sdbus::UnixFd>>&& reply) override;

  std::unique_ptr<ServedObject> object_;
  Guard& guard_;
  Principals& principals_;
  const UseCases use_cases_;
  const std::string listener_path_;
};

}  // namespace berth::bus
