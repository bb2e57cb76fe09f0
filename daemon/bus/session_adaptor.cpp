#include "daemon/bus/session_adaptor.hpp"

#include <tuple>

#include "base/object_path.hpp"
#include "daemon/bus/answers.hpp"
#include "daemon/bus/peer_proof.hpp"
#include "daemon/domain/x509.hpp"

namespace berth::bus {

SessionAdaptor::SessionAdaptor(BusConnection& connection, Guard& guard, Principals& principals, UseCases use_cases,
                               std::string listener_path)
    : SessionAdaptor(std::make_unique<ServedObject>(connection, std::string(kRootPath)), guard, principals, use_cases,
                     std::move(listener_path)) {}

SessionAdaptor::SessionAdaptor(std::unique_ptr<ServedObject> object, Guard& guard, Principals& principals,
                               UseCases use_cases, std::string listener_path)
    : Session_adaptor(*object), object_(std::move(object)), guard_(guard), principals_(principals),
      use_cases_(use_cases), listener_path_(std::move(listener_path)) {
  object_->finishRegistration();
}

void SessionAdaptor::listeners_changed() {
  object_->emit_signal("ListenersChanged");
}

void SessionAdaptor::AssumePeer(sdbus::Result<>&& reply, sdbus::UnixFd socket) {
  guard_.run_on_loop(object_->current_call(), std::move(reply),
                     [this, socket = std::move(socket)](const Principal& bridge) mutable -> Result<void> {
                       BERTH_TRY(auto own, take_fd(std::move(socket)));
                       BERTH_TRY(auto client, prove_peer(own.get(), listener_path_));
                       return principals_.bind(bridge.bus_name, std::move(client), std::move(own));
                     });
}

void SessionAdaptor::AddPeer(sdbus::Result<>&& reply, sdbus::UnixFd socket) {
  guard_.run_on_loop(object_->current_call(), std::move(reply),
                     [this, socket = std::move(socket)](const Principal& client) mutable -> Result<void> {
                       BERTH_TRY(auto own, take_fd(std::move(socket)));
                       BERTH_TRY(const auto other, prove_peer(own.get(), listener_path_));
                       return principals_.add_proof(client.bus_name, other, std::move(own));
                     });
}

void SessionAdaptor::AssumeCertificate(sdbus::Result<>&& reply, std::vector<std::uint8_t> certificate) {
  guard_.run_on_loop(object_->current_call(), std::move(reply),
                     [this, certificate = std::move(certificate)](const Principal& bridge) -> Result<void> {
                       if (certificate.size() > kLargestCertificate)
                         return Error{Code::InvalidArgument, "The certificate is larger than 64 KiB"};
                       return principals_.bind_certificate(bridge.bus_name, {certificate.begin(), certificate.end()});
                     });
}

void SessionAdaptor::GetListeners(sdbus::Result<sdbus::UnixFd, std::vector<sdbus::UnixFd>>&& reply) {
  using Answer = std::tuple<sdbus::UnixFd, std::vector<sdbus::UnixFd>>;
  guard_.run(object_->current_call(), std::move(reply), [this](const Principal&) -> Result<Answer> {
    BERTH_TRY(auto given, use_cases_.https.handover());
    BERTH_TRY(auto settings, row_answer(std::move(given.settings)));
    std::vector<sdbus::UnixFd> sockets;
    for (auto& socket : given.sockets) sockets.push_back(give_fd(std::move(socket)));
    return Answer(std::move(settings), std::move(sockets));
  });
}

}  // namespace berth::bus
