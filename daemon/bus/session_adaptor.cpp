#include "daemon/bus/session_adaptor.hpp"

#include "base/object_path.hpp"
#include "daemon/bus/options.hpp"
#include "daemon/bus/peer_proof.hpp"

namespace berth::bus {

SessionAdaptor::SessionAdaptor(BusConnection& connection, Guard& guard, Principals& principals, std::string listener_path)
    : SessionAdaptor(std::make_unique<ServedObject>(connection, std::string(kRootPath)), guard, principals,
                     std::move(listener_path)) {}

SessionAdaptor::SessionAdaptor(std::unique_ptr<ServedObject> object, Guard& guard, Principals& principals,
                               std::string listener_path)
    : Session_adaptor(*object), object_(std::move(object)), guard_(guard), principals_(principals),
      listener_path_(std::move(listener_path)) {
  object_->finishRegistration();
}

void SessionAdaptor::AssumePeer(sdbus::Result<>&& reply, sdbus::UnixFd socket) {
  guard_.run_on_loop(object_->current_call(), std::move(reply),
                     [this, socket = std::move(socket)](const Principal& bridge) mutable -> Result<void> {
                       BERTH_TRY(auto own, take_fd(std::move(socket)));
                       BERTH_TRY(auto client, prove_peer(own.get(), listener_path_));
                       return principals_.bind(bridge.bus_name, std::move(client), std::move(own));
                     });
}

}  // namespace berth::bus
