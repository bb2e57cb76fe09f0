#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>

#include "rest-bridge/api/loop.hpp"

namespace berth::rest {

/// The API layer's Loop on an io_context.
class AsioLoop final : public Loop {
 public:
  explicit AsioLoop(boost::asio::io_context& context);
  ~AsioLoop() override;
  std::unique_ptr<Watch> watch(int fd, short events, Callback ready) override;
  std::unique_ptr<Watch> after(std::chrono::microseconds delay, Callback fire) override;
  void post(Callback work) override;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace berth::rest
