#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>

#include "daemon/ports/authority.hpp"
#include "daemon/ports/bus_calls.hpp"

namespace berth::polkit {

/// polkit as the authority. At most kInFlight questions are with polkit at a time, so that load does not look like a denial;
/// those that may prompt a person have a lane of their own, since a person takes long. Loop thread only.
class PolkitAuthority final : public ports::Authority {
 public:
  static constexpr std::size_t kInFlight = 64;
  static constexpr std::size_t kQueueLimit = 4096;

  explicit PolkitAuthority(ports::PolkitCalls& calls);
  void check(ports::AuthorityQuestion question, std::function<void(bool allowed)> answer) override;

 private:
  struct Waiting {
    ports::AuthorityQuestion question;
    std::function<void(bool)> answer;
  };
  struct Lane {
    std::size_t in_flight = 0;
    std::deque<Waiting> queue;
  };
  struct State {
    ports::PolkitCalls& calls;
    Lane quiet, prompting;
  };
  static void send(const std::shared_ptr<State>& state, Lane& lane, Waiting waiting);

  std::shared_ptr<State> state_;  ///< answers on their way may come after this object's end
};

}  // namespace berth::polkit
