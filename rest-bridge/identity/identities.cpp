#include "rest-bridge/identity/identities.hpp"

#include <sdbus-c++/sdbus-c++.h>

#include <algorithm>
#include <utility>

#include "base/base64.hpp"
#include "base/log.hpp"
#include "base/object_path.hpp"
#include "rest-bridge/api/call.hpp"

namespace berth::rest {
struct Identity {
  Peer peer;
  std::size_t places = 0;  ///< HTTP connections whose it is; it goes with the last of them
  std::unique_ptr<Bus> bus;
  std::unique_ptr<Api> api;
  std::size_t uses = 0;
  bool valid = true;
  bool shared = false;  ///< its HTTP connection is an event stream
  std::vector<std::function<void(Result<void>)>> when_bound;
  bool bound = false;
  std::optional<Task<bool>> binding;
  std::list<std::optional<Task<bool>>> joining;  ///< other connections of its client, that are being proven

  bool usable() const { return valid && bus->alive(); }
};

struct Identities::Waiting {
  std::weak_ptr<Place> place;
  Ready ready;
  std::unique_ptr<Loop::Watch> deadline;
};

Identities::Lease::Lease(std::shared_ptr<Identity> identity, Identities& owner)
    : identity_(std::move(identity)), owner_(owner) {
  ++identity_->uses;
}

Identities::Lease::~Lease() {
  --identity_->uses;
  auto& list = owner_.identities_;
  const auto place = std::find(list.begin(), list.end(), identity_);
  if (place == list.end()) {
    // It was dropped while it was used. Its own calls may be on the stack below us.
    if (identity_->uses == 0) owner_.loop_.post([last = std::move(identity_)] {});
    return;
  }
  list.splice(list.end(), list, place);
  owner_.serve_waiting();
}

Api& Identities::Lease::api() { return *identity_->api; }

void Identities::Lease::share(const Place& place) {
  if (place.identity == identity_) identity_->shared = true;
}

Identities::Identities(Loop& loop, std::shared_ptr<Sessions> sessions, IdentityLimits limits)
    : loop_(loop), sessions_(std::move(sessions)), limits_(limits) {}

Identities::~Identities() = default;

void Identities::watch_daemon() {
  if (watcher_ && watcher_->alive()) return;
  watcher_.reset();
  auto bus = Bus::open(loop_);
  if (!bus) return;  // the client's own connection will say so
  watcher_ = *std::move(bus);
  // A new daemon does not know the bindings of the old one.
  const auto rule = "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" +
                    std::string(kBusName) + "'";
  try {
    watcher_->connection().addMatch(
        rule,
        [this](sdbus::Message& signal) {
          std::string name;
          std::string old_owner;
          signal >> name >> old_owner;
          if (old_owner.empty()) return;  // it has just started
          loop_.post([this] {
            for (const auto& identity : std::list(identities_)) drop(identity);
          });
        },
        sdbus::floating_slot);
  } catch (const sdbus::Error& failure) {
    log::warning("cannot watch for restarts of the daemon: " + failure.getMessage());
  }
  watcher_->refresh();
}

void Identities::acquire(const std::shared_ptr<Place>& place, Ready ready) {
  watch_daemon();
  if (try_acquire(place, ready)) return;
  if (waiting_.size() >= limits_.waiting) return ready(Error{Code::Unavailable, "too many clients wait; try again"});
  waiting_.push_back({.place = place, .ready = std::move(ready), .deadline = nullptr});
  const auto entry = std::prev(waiting_.end());
  entry->deadline = loop_.after(limits_.wait_for_place, [this, entry] {
    auto expired = std::move(*entry);
    waiting_.erase(entry);
    expired.ready(Error{Code::Unavailable, "too many connections of this user are in use; try again"});
  });
}

bool Identities::try_acquire(const std::shared_ptr<Place>& place, Ready& ready) {
  const auto give = [this, &ready](const std::shared_ptr<Identity>& identity) {
    // The use begins now: an identity that is about to be bound must not be taken for an idle one.
    auto lease = std::make_shared<Lease>(identity, *this);
    if (identity->bound) return ready(std::move(lease));
    identity->when_bound.push_back([lease = std::move(lease), ready = std::move(ready)](Result<void> result) mutable {
      if (result)
        ready(std::move(lease));
      else
        ready(std::move(result).error());
    });
  };
  if (place->identity && place->identity->usable()) {
    give(place->identity);
    return true;
  }
  release(*place);
  for (const auto& identity : identities_) {
    if (!identity->usable() || !identity->bound || !identity->shared || !identity->peer.same_as(place->peer)) continue;
    if (place->peer.tls)
      give(identity);
    else
      join(place, identity, std::move(ready));
    return true;
  }
  if (!make_room(place->peer)) return false;
  open(place, std::move(ready));
  return true;
}

bool Identities::make_room(const Peer& peer) {
  const auto of_uid = [&](const auto& identity) { return identity->peer.same_account(peer); };
  const auto idle = [](const auto& identity) { return identity->uses == 0 && identity->api->in_flight() == 0; };
  const auto most = peer.tls ? limits_.of_one_certificate : limits_.of_one_uid;
  if (static_cast<std::size_t>(std::count_if(identities_.begin(), identities_.end(), of_uid)) >= most) {
    const auto oldest = std::find_if(identities_.begin(), identities_.end(), [&](const auto& i) { return of_uid(i) && idle(i); });
    if (oldest == identities_.end()) return false;
    drop(std::shared_ptr(*oldest));
  }
  if (identities_.size() >= limits_.in_all) {
    const auto oldest = std::find_if(identities_.begin(), identities_.end(), idle);
    if (oldest == identities_.end()) return false;
    drop(std::shared_ptr(*oldest));
  }
  return true;
}

void Identities::open(const std::shared_ptr<Place>& place, Ready ready) {
  auto bus = Bus::open(loop_);
  if (!bus) return ready(std::move(bus).error());
  auto identity = std::make_shared<Identity>();
  identity->peer = place->peer;
  identity->bus = *std::move(bus);
  const auto& tls = place->peer.tls;
  const auto owner = tls ? "tls:" + base64_encode(tls->certificate) : "unix:" + std::to_string(place->peer.uid);
  ClientInfo client;
  if (tls) client = {.tls = true, .certificate = tls->certificate, .address = tls->address};
  identity->api = std::make_unique<Api>(*identity->bus, sessions_, owner, std::move(client));
  identity->bus->on_lost([this, weak = std::weak_ptr(identity)] {
    if (const auto lost = weak.lock()) drop(lost);
  });
  identities_.push_back(identity);
  place->identity = identity;
  ++identity->places;
  auto lease = std::make_shared<Lease>(identity, *this);
  identity->when_bound.push_back([lease = std::move(lease), ready = std::move(ready)](Result<void> result) mutable {
    if (result)
      ready(std::move(lease));
    else
      ready(std::move(result).error());
  });

  // The first call on the connection says whose it is.
  identity->binding.emplace([](Identities& self, std::shared_ptr<Identity> held, int socket) -> Task<bool> {
    Caller caller(*held->bus);
    Call call{.path = std::string(kRootPath), .interface = "Session", .member = "AssumePeer", .arguments = {}};
    if (const auto& shown = held->peer.tls) {
      call.member = "AssumeCertificate";
      call.arguments.emplace_back(Bytes(shown->certificate.begin(), shown->certificate.end()));
    } else {
      call.arguments.emplace_back(Handle{socket});
    }
    auto reply = co_await caller.call(std::move(call));
    held->bound = bool(reply);
    auto result = reply ? Result<void>() : Result<void>(std::move(reply).error());
    self.loop_.post([&self, held, result] {
      held->binding.reset();
      auto waiting = std::exchange(held->when_bound, {});
      if (!result) self.drop(held);
      for (auto& ready_now : waiting) ready_now(result);
    });
    co_return true;
  }(*this, identity, place->socket));
  identity->binding->start();
}

void Identities::join(const std::shared_ptr<Place>& place, const std::shared_ptr<Identity>& identity, Ready ready) {
  place->identity = identity;
  ++identity->places;
  const auto entry = identity->joining.emplace(identity->joining.end());
  auto lease = std::make_shared<Lease>(identity, *this);
  entry->emplace([](Identities& self, std::weak_ptr<Place> whose, std::shared_ptr<Lease> held, std::shared_ptr<Identity> joined, auto at,
                    Ready then, int socket) -> Task<bool> {
    Caller caller(*joined->bus);
    Call call{.path = std::string(kRootPath), .interface = "Session", .member = "AddPeer", .arguments = {}};
    call.arguments.emplace_back(Handle{socket});
    auto reply = co_await caller.call(std::move(call));
    self.loop_.post([&self, whose, held, joined, at, then = std::move(then), proven = bool(reply)]() mutable {
      joined->joining.erase(at);
      if (proven) return then(std::move(held));
      held.reset();
      joined->shared = false;
      const auto alive = whose.lock();
      if (!alive) return then(Error{Code::Unavailable, "the client went away"});
      // The client's other connections have just ended, and the identity with them: this one needs its own.
      self.release(*alive);
      self.acquire(alive, std::move(then));
    });
    co_return true;
  }(*this, place, std::move(lease), identity, entry, std::move(ready), place->socket));
  (*entry)->start();
}

void Identities::leave(Place& place) {
  std::erase_if(waiting_, [&](const auto& waiting) { return waiting.place.lock().get() == &place; });
  release(place);
}

void Identities::release(Place& place) {
  const auto identity = std::exchange(place.identity, nullptr);
  if (identity && --identity->places == 0) drop(identity);
}

void Identities::drop(const std::shared_ptr<Identity>& identity) {
  const auto held = identity;
  held->valid = false;
  if (identities_.remove(held) == 0) return;
  // Taken apart from the loop: calls of its own may be on the stack below us. What waits for it holds it, too.
  loop_.post([held] {
    held->binding.reset();
    for (auto& ready : std::exchange(held->when_bound, {})) ready(Error{Code::Unavailable, "the daemon went away; try again"});
  });
  serve_waiting();
}

void Identities::serve_waiting() {
  if (waiting_.empty() || std::exchange(serving_, true)) return;
  loop_.post([this] {
    serving_ = false;
    for (auto entry = waiting_.begin(); entry != waiting_.end();) {
      const auto place = entry->place.lock();
      const auto next = std::next(entry);
      if (!place || try_acquire(place, entry->ready)) waiting_.erase(entry);
      entry = next;
    }
  });
}

}  // namespace berth::rest
