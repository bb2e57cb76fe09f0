#include "rest-bridge/http/asio_loop.hpp"

#include <poll.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <utility>

namespace berth::rest {

namespace asio = boost::asio;
using Descriptor = asio::posix::stream_descriptor;

namespace {

/// A descriptor that asio waits on but does not own; all watches of one descriptor share it, since the kernel's event
/// queue takes each only once.
struct Source {
  Descriptor descriptor;
  Source(asio::io_context& context, int fd) : descriptor(context, fd) {}
  ~Source() { descriptor.release(); }
};

struct Registration : std::enable_shared_from_this<Registration> {
  std::shared_ptr<Source> source;
  Descriptor::wait_type what = Descriptor::wait_read;
  Loop::Callback ready;
  bool alive = true;

  void arm() {
    source->descriptor.async_wait(what, [self = shared_from_this()](boost::system::error_code error) {
      if (!self->alive || error) return;
      self->ready();
      if (self->alive) self->arm();
    });
  }
};

class DescriptorWatch final : public Loop::Watch {
 public:
  explicit DescriptorWatch(std::shared_ptr<Registration> registration) : registration_(std::move(registration)) {}
  ~DescriptorWatch() override {
    registration_->alive = false;
    registration_->source.reset();  // the last watch of a descriptor lets go of it now: its owner may close it next
  }

 private:
  std::shared_ptr<Registration> registration_;
};

class TimerWatch final : public Loop::Watch {
 public:
  TimerWatch(asio::io_context& context, std::chrono::microseconds delay, Loop::Callback fire)
      : timer_(context, delay), fire_(std::make_shared<Loop::Callback>(std::move(fire))) {
    timer_.async_wait([weak = std::weak_ptr(fire_)](boost::system::error_code error) {
      const auto call = weak.lock();
      if (call && !error) (*call)();
    });
  }

 private:
  asio::steady_timer timer_;
  std::shared_ptr<Loop::Callback> fire_;
};

}  // namespace

struct AsioLoop::State {
  asio::io_context& context;
  std::map<int, std::weak_ptr<Source>> sources;
};

AsioLoop::AsioLoop(asio::io_context& context) : state_(std::make_shared<State>(State{context, {}})) {}
AsioLoop::~AsioLoop() = default;

std::unique_ptr<Loop::Watch> AsioLoop::watch(int fd, short events, Callback ready) {
  auto& slot = state_->sources[fd];
  auto source = slot.lock();
  if (!source) {
    source = std::make_shared<Source>(state_->context, fd);
    slot = source;
  }
  auto registration = std::make_shared<Registration>();
  registration->source = std::move(source);
  registration->what = (events & POLLOUT) != 0 ? Descriptor::wait_write : Descriptor::wait_read;
  registration->ready = std::move(ready);
  registration->arm();
  return std::make_unique<DescriptorWatch>(std::move(registration));
}

std::unique_ptr<Loop::Watch> AsioLoop::after(std::chrono::microseconds delay, Callback fire) {
  return std::make_unique<TimerWatch>(state_->context, delay, std::move(fire));
}

void AsioLoop::post(Callback work) { asio::post(state_->context, std::move(work)); }

}  // namespace berth::rest
