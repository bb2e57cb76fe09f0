#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "daemon/bus/bus_connection.hpp"
#include "daemon/domain/certificate.hpp"
#include "daemon/domain/principal.hpp"

namespace berth::bus {

/// Who stands behind each unique name of the bus: asked of the bus driver once a name, or bound by Session.AssumePeer or
/// Session.AssumeCertificate, and forgotten when the name vanishes. Loop thread only.
class Principals {
 public:
  /// `bridge_uid`: the uid whose connections are the REST bridge's; none = no bridge is known here.
  Principals(BusConnection& connection, std::optional<std::uint32_t> bridge_uid);
  Principals(const Principals&) = delete;
  Principals& operator=(const Principals&) = delete;

  using Resolved = std::function<void(Result<Principal>)>;
  /// Gives the principal of `name`, perhaps before this returns. AccessDenied when the bus cannot tell, the name is gone, or
  /// the HTTP client it was bound to has hung up.
  void resolve(const std::string& name, Resolved then);

  /// Makes the bridge's connection `name` the HTTP client's from now on. `socket` is the daemon's duplicate of the client's
  /// socket: when the peer hangs up, the connection is nobody's. FailedPrecondition when it was bound before.
  Result<void> bind(const std::string& name, Principal client, UniqueFd socket);

  /// Another socket of the client that `name` was bound to: the connection is nobody's once all of them have hung up.
  /// AccessDenied when `client` is another process, or `name` was not bound to a socket's peer; LimitsExceeded.
  Result<void> add_proof(const std::string& name, const Principal& client, UniqueFd socket);

  /// Makes the bridge's connection `name` the TLS client's that showed the certificate (DER; empty: none). Whether that is
  /// trusted, and with what, is asked anew at each call. AccessDenied where the server has an authority that does not vouch for it.
  Result<void> bind_certificate(const std::string& name, std::string der);
  /// Who judges certificates. Set before the first call; asked on the loop thread.
  struct Judge {
    std::function<ShownCertificate(std::string der)> examine;
    std::function<std::optional<ClientRights>(const ShownCertificate&)> rights;
  };
  void on_trust(Judge judge) { judge_ = std::move(judge); }
  /// The trust store or the authority has changed: what was open for a client that is trusted with something else now ends.
  void trust_changed();

  /// Called with each name that vanished or whose client hung up.
  void on_gone(std::function<void(const std::string&)> listener) { listeners_.push_back(std::move(listener)); }

 private:
  /// A socket of a client, and the watch for its end.
  struct Proof {
    UniqueFd socket;
    EventSource hang_up;  // after the socket: goes before it
  };
  struct Entry {
    std::optional<Principal> principal;
    bool bound = false, hung_up = false;
    std::optional<ShownCertificate> shown;  ///< by a TLS client
    std::optional<ClientRights> rights;     ///< of a TLS client, as they were last seen
    std::vector<Resolved> waiting;
    std::map<std::uint64_t, Proof> proofs;  ///< by a number that is never used again
  };
  void answer(const std::string& name, Result<Principal> principal);
  Principal tls_client(Entry& entry) const;
  Result<Entry*> unbound(const std::string& name);
  void forget(const std::string& name);
  Result<void> watch(Entry& entry, const std::string& name, UniqueFd socket);
  void client_hung_up(const std::string& name, std::uint64_t proof);

  BusConnection& connection_;
  const std::optional<std::uint32_t> bridge_uid_;
  std::unique_ptr<sdbus::IProxy> driver_;
  std::map<std::string, Entry> entries_;
  Judge judge_;
  std::vector<std::function<void(const std::string&)>> listeners_;
  std::uint64_t next_proof_ = 0;
  sdbus::Slot vanished_;
};

}  // namespace berth::bus
