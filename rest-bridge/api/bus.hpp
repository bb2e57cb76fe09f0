#pragma once

#include <functional>
#include <memory>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "rest-bridge/api/loop.hpp"

namespace sdbus {
class IConnection;
}

namespace berth::rest {

/// One connection to the system bus, driven by a Loop: it reads, writes and keeps the deadlines of calls.
class Bus {
 public:
  /// Opens a connection of its own (DBUS_SYSTEM_BUS_ADDRESS is honoured). Errors: Unavailable.
  static Result<std::unique_ptr<Bus>> open(Loop& loop);
  ~Bus();

  sdbus::IConnection& connection();
  Loop& loop();
  /// Looks at what the connection wants next; call it after each message that was queued.
  void refresh();
  /// Whether the bus still talks to us. A connection that was lost never comes back; open another.
  bool alive() const;
  /// Called once, from the loop, when the connection is lost.
  void on_lost(std::function<void()> lost);

 private:
  struct State;
  explicit Bus(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace berth::rest
