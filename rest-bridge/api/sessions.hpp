#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "rest-bridge/api/call.hpp"
#include "rest-bridge/api/loop.hpp"
#include "rest-bridge/api/session.hpp"

namespace berth::rest {

/// Execs and consoles that wait for their websockets, and the secrets that open them. One for all of a program's
/// connections, since a client connects each websocket anew. A secret is 32 random bytes, opens one stream once, is
/// compared in constant time, and is gone when the session has not begun after 30 seconds.
class Sessions {
 public:
  explicit Sessions(Loop& loop);
  ~Sessions();

  struct Opened {
    std::shared_ptr<ExecSession> session;
    std::string name;
  };

  /// Keeps `session` and makes its secrets, one for each stream and one for "control". Errors: LimitsExceeded when too
  /// many wait.
  Result<Json> add(const std::shared_ptr<ExecSession>& session, const std::string& owner);
  /// The stream that `secret` opens. Errors: NotFound for an operation that is not here, AccessDenied for a wrong or
  /// used secret.
  Result<Opened> redeem(std::string_view operation_id, std::string_view secret);
  /// The secrets of an operation, for its owner; null for everybody else.
  Json shown_to(std::string_view operation_id, std::string_view owner) const;
  /// The session runs: from now on its streams alone keep it.
  void begun(const std::string& operation_id);

  /// Operations that exist in the bridge alone: a console is a stream to the daemon, and an operation to the client.
  /// Their objects are rows of the daemon's form, with `owner` beside them.
  struct LocalOperation {
    Json row;
    std::string owner;
  };
  void add_local(Json row, const std::string& owner);
  /// Ends it, with success or with `failure`, and tells the listeners. Nothing the second time.
  void finish_local(const std::string& operation_id, const std::string& failure = {});
  const LocalOperation* local(std::string_view operation_id, std::string_view owner) const;
  std::vector<Json> locals(std::string_view owner) const;

  /// Hears the events of local operations (in the daemon's form) of one owner, until the Watch dies.
  class Listener {
   public:
    virtual ~Listener() = default;
  };
  std::unique_ptr<Listener> listen(std::string owner, std::function<void(Json)> event);

 private:
  struct Entry;
  class Registration;
  void purge();
  void announce(const LocalOperation& operation);

  Loop& loop_;
  std::map<std::string, std::unique_ptr<Entry>, std::less<>> entries_;
  std::map<std::string, LocalOperation, std::less<>> locals_;
  std::map<std::string, std::unique_ptr<Loop::Watch>> forgetting_;
  std::shared_ptr<std::list<std::pair<std::string, std::function<void(Json)>>>> listeners_;
};

/// True when the texts are equal; the time does not tell where they differ.
bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept;
/// 64 hexadecimal digits of the kernel's randomness. Errors: Internal when there is none.
Result<std::string> new_secret();
/// Microseconds since the epoch.
std::uint64_t now_microseconds();

}  // namespace berth::rest
