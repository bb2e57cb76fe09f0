#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "rest-bridge/api/api.hpp"
#include "rest-bridge/api/loop.hpp"
#include "rest-bridge/identity/peer.hpp"

namespace berth::rest {

/// How many bus connections there may be. dbus-daemon allows 256 for the bridge's user.
struct IdentityLimits {
  /// Every process with an event stream, `lxc exec` among them, keeps one; before Linux 6.9, which tells processes apart for
  /// good, every connection does. 200 listeners of one user have to fit, and somebody else beside them.
  std::size_t of_one_uid = 208;
  std::size_t of_one_certificate = 8;  ///< whose connections share one; strangers count as one certificate
  std::size_t in_all = 240;
  std::size_t waiting = 256;                      ///< requests that wait for a place
  std::chrono::milliseconds wait_for_place{5000};  ///< then 503
};

/// One bus connection that is bound to one HTTP client, and the API on it.
struct Identity;

/// The bus connections of the HTTP clients. A connection is bound by handing the client's accepted socket or its TLS
/// certificate to the daemon, and from then on is that client; it serves the HTTP connection whose socket it was. While that one is an
/// event stream, the other HTTP connections of the same process use it, too: each hands its own socket to the daemon, so that
/// no end of one takes the others along. Nothing less than the kernel's word that it is the same process with the same
/// credentials makes two clients one. Idle bus connections give way to others,
/// oldest first, and are opened anew (0.5 ms) when they are needed. Loop thread only.
class Identities {
 public:
  Identities(Loop& loop, std::shared_ptr<Sessions> sessions, IdentityLimits limits = {});
  ~Identities();

  struct Place;

  /// The right to use an identity's API, for the time of a request or a stream.
  class Lease {
   public:
    explicit Lease(std::shared_ptr<Identity> identity, Identities& owner);
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Api& api();
    /// The HTTP connection of `place` is an event stream from now on: it lasts and asks little, so others of its process may
    /// use its identity.
    void share(const Place& place);

   private:
    std::shared_ptr<Identity> identity_;
    Identities& owner_;
  };

  /// What one HTTP connection holds: it dies with it, and takes the bus connection along.
  struct Place {
    Peer peer;
    int socket = -1;  ///< the accepted socket of a unix client; stays the HTTP connection's
    std::shared_ptr<Identity> identity;
  };

  /// Gives a lease for the client of `place`, from the loop or from inside this call. Errors: Unavailable when there
  /// are too many, or no daemon; AccessDenied when the daemon does not believe the socket. `place` must live until
  /// then.
  using Ready = std::function<void(Result<std::shared_ptr<Lease>>)>;
  void acquire(const std::shared_ptr<Place>& place, Ready ready);
  /// The HTTP connection of `place` has ended.
  void leave(Place& place);

  std::size_t open() const { return identities_.size(); }

 private:
  struct Waiting;
  bool try_acquire(const std::shared_ptr<Place>& place, Ready& ready);
  bool make_room(const Peer& peer);
  void open(const std::shared_ptr<Place>& place, Ready ready);
  /// Makes an identity of the same client the place's, too.
  void join(const std::shared_ptr<Place>& place, const std::shared_ptr<Identity>& identity, Ready ready);
  void release(Place& place);
  void watch_daemon();
  void drop(const std::shared_ptr<Identity>& identity);
  void serve_waiting();

  Loop& loop_;
  std::shared_ptr<Sessions> sessions_;
  IdentityLimits limits_;
  std::list<std::shared_ptr<Identity>> identities_;  ///< the one used longest ago first
  std::list<Waiting> waiting_;
  std::unique_ptr<Bus> watcher_;
  bool serving_ = false;
};

}  // namespace berth::rest
