#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "base/names.hpp"

namespace berth {

/// Which kind of caller it is; the access table names the kinds that may ask.
enum class PrincipalKind {
  Local,        ///< a process of this host, known by the bus driver or by its accepted socket
  Certificate,  ///< a registered TLS client, and root's equal
  Restricted,   ///< a registered TLS client that is trusted with some projects and nothing else
  Guest,        ///< an HTTP client without a known certificate
  Instance,     ///< a process inside a container (guest API)
  Bridge,       ///< berth-rest itself before it has bound a client: may call Session and nothing else
};

/// Who is asking. Made only by daemon/bus (from the kernel's or the bus driver's word), then passed by value.
struct Principal {
  PrincipalKind kind = PrincipalKind::Guest;
  std::uint32_t uid = 65534;           ///< Local; 0 for a certificate, whose objects are root's
  std::int32_t pid = 0;                ///< Local only; the process polkit judges
  std::uint64_t start_time = 0;        ///< field 22 of /proc/PID/stat, read while the process was pinned
  std::string bus_name;                ///< unique name of the connection the call came on
  std::string fingerprint;             ///< of a certificate, and of a Guest that showed one: SHA-256 of its DER
  bool may_prompt = false;             ///< this call's message allowed a password prompt
  std::vector<ProjectName> projects{}; ///< Restricted: those it is trusted with

  /// Whether it may be in the project at all. What it may do there, others decide.
  bool may_enter(const ProjectName& project) const {
    return kind != PrincipalKind::Restricted || std::find(projects.begin(), projects.end(), project) != projects.end();
  }
  /// Whoever may do everything: root, and a certificate without restrictions, which LXD's clients take for root's equal.
  bool is_root() const noexcept {
    return (kind == PrincipalKind::Local && uid == 0) || kind == PrincipalKind::Certificate;
  }
};

/// The daemon itself: start-up, reconcile, expiry.
inline Principal daemon_principal() { return Principal{PrincipalKind::Local, 0, 0, 0, {}, {}, false, {}}; }

}  // namespace berth
