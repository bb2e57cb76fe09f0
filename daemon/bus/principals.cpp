#include "daemon/bus/principals.hpp"

#include <utility>

namespace berth::bus {
namespace {

/// Sockets of one client; the bridge serves 512 connections in all.
constexpr std::size_t kMostProofs = 512;

constexpr auto kDriver = "org.freedesktop.DBus";
constexpr std::chrono::seconds kDriverTimeout{10};

Error unknown_caller(const std::string& name) {
  return Error{Code::AccessDenied, "the bus cannot tell who " + name + " is"};
}

}  // namespace

Principals::Principals(BusConnection& connection, std::optional<std::uint32_t> bridge_uid)
    : connection_(connection),
      bridge_uid_(bridge_uid),
      driver_(sdbus::createProxy(connection.sdbus(), kDriver, "/org/freedesktop/DBus")),
      // One rule for all names: rules for each stop at 512 a connection.
      vanished_(connection.sdbus().addMatch(
          "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',member='NameOwnerChanged',arg2=''",
          [this](sdbus::Message& signal) {
            run_guarded("NameOwnerChanged", [&] {
              std::string name;
              signal >> name;
              forget(name);
            });
          })) {}

void Principals::resolve(const std::string& name, Resolved then) {
  if (name.empty() || name[0] != ':') return then(unknown_caller(name));
  const auto [place, is_new] = entries_.try_emplace(name);
  auto& entry = place->second;
  if (entry.hung_up) return then(Error{Code::AccessDenied, "the HTTP client of this connection has gone"});
  if (entry.principal) return then(entry.shown ? tls_client(entry) : *entry.principal);
  entry.waiting.push_back(std::move(then));
  if (!is_new) return;
  connection_.call(
      *driver_, kDriver, "GetConnectionUnixUser", [&name](sdbus::MethodCall& call) { call << name; },
      [this, name](sdbus::MethodReply* reply, const sdbus::Error* error) {
        const auto said = BusConnection::values_of<std::uint32_t>(reply, error);
        if (!said) return answer(name, unknown_caller(name));
        const auto [uid] = *said;
        Principal who;
        who.kind = bridge_uid_ == uid ? PrincipalKind::Bridge : PrincipalKind::Local;
        who.uid = uid;
        who.bus_name = name;
        answer(name, std::move(who));
      },
      kDriverTimeout);
}

void Principals::answer(const std::string& name, Result<Principal> principal) {
  const auto found = entries_.find(name);
  if (found == entries_.end()) return;  // vanished while the driver was asked: forget() has answered
  const auto waiting = std::exchange(found->second.waiting, {});
  if (principal) {
    found->second.principal = *principal;
  } else {
    entries_.erase(found);
  }
  for (const auto& then : waiting) then(principal);
}

void Principals::forget(const std::string& name) {
  const auto found = entries_.find(name);
  if (found == entries_.end()) return;
  auto entry = std::move(found->second);
  entries_.erase(found);
  for (const auto& then : entry.waiting) then(unknown_caller(name));
  for (const auto& listener : listeners_) listener(name);
}

Result<Principals::Entry*> Principals::unbound(const std::string& name) {
  const auto found = entries_.find(name);
  if (found == entries_.end() || !found->second.principal) return unknown_caller(name);
  auto& entry = found->second;
  if (entry.bound) return Error{Code::FailedPrecondition, "this connection has been bound to a client already"};
  if (entry.principal->kind != PrincipalKind::Bridge) return Error{Code::AccessDenied, "only the REST bridge binds clients"};
  return &entry;
}

Principal Principals::tls_client(Entry& entry) const {
  auto who = *entry.principal;
  entry.rights = judge_.rights(*entry.shown);
  if (!entry.rights) return who;
  who.uid = 0;
  who.kind = entry.rights->restricted ? PrincipalKind::Restricted : PrincipalKind::Certificate;
  if (entry.rights->restricted) who.projects = entry.rights->projects;
  return who;
}

Result<void> Principals::bind_certificate(const std::string& name, std::string der) {
  BERTH_TRY(auto* entry, unbound(name));
  auto shown = judge_.examine(std::move(der));
  if (shown.voucher == Voucher::Refused)
    return Error{Code::AccessDenied, "This server serves clients of its authority alone: show a certificate that it has signed and not revoked"};
  Principal client;
  client.kind = PrincipalKind::Guest;
  client.bus_name = name;
  client.fingerprint = shown.fingerprint;
  entry->principal = std::move(client);
  entry->bound = true;
  entry->shown = std::move(shown);
  return {};
}

void Principals::trust_changed() {
  std::vector<std::string> fallen;
  for (auto& [name, entry] : entries_) {
    if (!entry.shown || !entry.principal) continue;
    entry.shown = judge_.examine(std::move(entry.shown->der));
    const auto before = std::exchange(entry.rights, {});
    if (entry.shown->voucher == Voucher::Refused) {
      entry.hung_up = true;  // not even a stranger
      entry.principal.reset();
      fallen.push_back(name);
    } else if (before && (entry.rights = judge_.rights(*entry.shown)) != before) {
      fallen.push_back(name);
    }
  }
  for (const auto& name : fallen)
    for (const auto& listener : listeners_) listener(name);
}

Result<void> Principals::watch(Entry& entry, const std::string& name, UniqueFd socket) {
  const auto number = next_proof_++;
  // EPOLLHUP comes unasked: when the peer has closed. A client that only ends its sending side stays.
  BERTH_TRY(auto hang_up, connection_.loop().watch(socket.get(), 0,
                                                   [this, name, number](std::uint32_t) { client_hung_up(name, number); }));
  entry.proofs.emplace(number, Proof{std::move(socket), std::move(hang_up)});
  return {};
}

Result<void> Principals::bind(const std::string& name, Principal client, UniqueFd socket) {
  BERTH_TRY(auto* const entry, unbound(name));
  BERTH_CHECK(watch(*entry, name, std::move(socket)));
  client.bus_name = name;
  entry->principal = std::move(client);
  entry->bound = true;
  return {};
}

Result<void> Principals::add_proof(const std::string& name, const Principal& client, UniqueFd socket) {
  const auto found = entries_.find(name);
  if (found == entries_.end() || !found->second.principal || found->second.proofs.empty()) return unknown_caller(name);
  auto& entry = found->second;
  const auto& known = *entry.principal;
  if (client.uid != known.uid || client.pid != known.pid || client.start_time != known.start_time)
    return Error{Code::AccessDenied, "the socket is another process's"};
  if (entry.proofs.size() >= kMostProofs) return Error{Code::LimitsExceeded, "the client has too many connections"};
  return watch(entry, name, std::move(socket));
}

void Principals::client_hung_up(const std::string& name, std::uint64_t proof) {
  const auto found = entries_.find(name);
  if (found == entries_.end()) return;
  auto& entry = found->second;
  entry.proofs.erase(proof);
  if (!entry.proofs.empty()) return;
  entry.hung_up = true;
  entry.principal.reset();
  for (const auto& listener : listeners_) listener(name);
}

}  // namespace berth::bus
