#pragma once

#include <functional>
#include <memory>

#include "rest-bridge/api/loop.hpp"

namespace berth::rest {

/// A small loop over poll(2) for programs that have none of their own: the command line and tests.
class PollLoop final : public Loop {
 public:
  PollLoop();
  ~PollLoop() override;

  std::unique_ptr<Watch> watch(int fd, short events, Callback ready) override;
  std::unique_ptr<Watch> after(std::chrono::microseconds delay, Callback fire) override;
  void post(Callback work) override;

  /// Runs callbacks until `done` says true; it is asked before every wait.
  void run_until(const std::function<bool()>& done);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace berth::rest
