#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/names.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "daemon/bus/event_loop.hpp"
#include "daemon/domain/principal.hpp"
#include "daemon/services/events.hpp"

namespace berth::bus {

/// What a subscriber wants; empty = everything it may see.
struct EventFilter {
  std::set<std::string> types;
  std::optional<ProjectName> project;
};

/// The event streams of Manager.Subscribe: SOCK_SEQPACKET, one packet an event. publish() may be called by any thread,
/// everything else by the loop thread. A listener that does not read is closed, alone: nobody waits for it.
class EventStreams final : public services::Events {
 public:
  static constexpr std::size_t kPerUser = 64;
  static constexpr std::size_t kInAll = 1024;
  static constexpr int kBacklogBytes = 512 << 10;
  static constexpr std::size_t kEventLimit = 128 << 10;

  explicit EventStreams(EventLoop& loop) : loop_(loop) {}
  void publish(services::Event event) override;

  /// The reader's end. LimitsExceeded when `who` has kPerUser streams already.
  Result<UniqueFd> subscribe(const Principal& who, EventFilter filter);
  /// Ends the streams of a connection that vanished or whose client hung up.
  void close_for(const std::string& bus_name);
  std::size_t subscribers() const noexcept { return streams_.size(); }
  /// Hears every event on the loop thread, before the subscribers.
  void on_event(std::function<void(const services::Event&)> listener) { listeners_.push_back(std::move(listener)); }

 private:
  struct Stream {
    Principal who;
    EventFilter filter;
    UniqueFd fd;
    EventSource hang_up;
  };
  void deliver(const services::Event& event);

  EventLoop& loop_;
  std::list<Stream> streams_;
  std::vector<std::function<void(const services::Event&)>> listeners_;
};

}  // namespace berth::bus
