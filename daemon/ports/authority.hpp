#pragma once

#include <functional>
#include <map>
#include <string>

#include "daemon/domain/principal.hpp"

namespace berth::ports {

/// One question to the authority.
struct AuthorityQuestion {
  Principal who;
  std::string action;                          ///< "org.berth.Berth1.manage-instances"
  std::map<std::string, std::string> details;  ///< project, object, verb
  bool interactive = false;                    ///< the caller's message allowed a password prompt
};

/// Who may do what: polkit. Loop thread only.
class Authority {
 public:
  virtual ~Authority() = default;
  /// Asks without blocking; `answer` comes on the loop thread, exactly once, perhaps before this returns. Anything but a
  /// clear yes is false: errors, a time-out, no authority on the bus at all. Root is decided by the caller, not here.
  virtual void check(AuthorityQuestion question, std::function<void(bool allowed)> answer) = 0;
};

}  // namespace berth::ports
