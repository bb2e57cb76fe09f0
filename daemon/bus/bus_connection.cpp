#include "daemon/bus/bus_connection.hpp"

#include <exception>
#include <utility>

#include "base/log.hpp"

namespace berth::bus {
namespace {

/// sdbus-c++ keeps libsystemd's message in protected members; a derived class may name them.
struct Peek : sdbus::Message {
  static sd_bus_message* message(sdbus::Message& from) { return static_cast<sd_bus_message*>(from.*(&Peek::msg_)); }
  static sdbus::internal::ISdBus* interface(sdbus::Message& from) { return from.*(&Peek::sdbus_); }
};

struct AdoptedCall : sdbus::MethodCall {
  AdoptedCall(sd_bus_message* message, sdbus::internal::ISdBus* interface) : MethodCall(message, interface) {}
};

struct AdoptedReply : sdbus::PropertyGetReply {
  AdoptedReply(sd_bus_message* message, sdbus::internal::ISdBus* interface) : PropertyGetReply(message, interface) {}
};

}  // namespace

BusConnection::BusConnection(EventLoop& loop, std::unique_ptr<sdbus::IConnection> connection)
    : loop_(loop), connection_(std::move(connection)) {}

Result<std::unique_ptr<BusConnection>> BusConnection::open(EventLoop& loop) {
  try {
    std::unique_ptr<BusConnection> made{new BusConnection(loop, sdbus::createSystemBusConnection())};
    BERTH_CHECK(made->attach());
    return made;
  } catch (const sdbus::Error& caught) {
    return Error{Code::Unavailable, "cannot connect to the system bus: " + caught.getMessage()};
  }
}

Result<void> BusConnection::attach() {
  const auto proxy = sdbus::createProxy(*connection_, "org.freedesktop.DBus", "/org/freedesktop/DBus");
  auto probe = proxy->createMethodCall("org.freedesktop.DBus", "GetId");  // never sent
  sdbus_ = Peek::interface(probe);
  raw_ = sd_bus_message_get_bus(Peek::message(probe));

  const auto poll = connection_->getEventLoopPollData();
  sd_event_source* source = nullptr;
  int r = sd_event_add_io(loop_.raw(), &source, poll.fd, 0, &dispatch, this);
  if (r < 0) return system_error("cannot watch the bus", -r);
  io_.reset(source);
  r = sd_event_add_time(loop_.raw(), &source, CLOCK_MONOTONIC, UINT64_MAX, 0, &elapsed, this);
  if (r < 0) return system_error("cannot arm the bus timer", -r);
  timer_.reset(source);
  r = sd_event_source_set_prepare(io_.get(), &prepare);
  if (r < 0) return system_error("cannot prepare for the bus", -r);
  return {};
}

int BusConnection::prepare(sd_event_source*, void* userdata) noexcept {
  auto& self = *static_cast<BusConnection*>(userdata);
  try {
    const auto poll = self.connection_->getEventLoopPollData();
    (void)sd_event_source_set_io_events(self.io_.get(), static_cast<std::uint32_t>(poll.events));
    const bool timed = poll.timeout_usec != UINT64_MAX;  // absolute, CLOCK_MONOTONIC
    if (timed) (void)sd_event_source_set_time(self.timer_.get(), poll.timeout_usec);
    (void)sd_event_source_set_enabled(self.timer_.get(), timed ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
  } catch (const sdbus::Error& caught) {
    log::error("The connection to the system bus is lost: " + caught.getMessage());
    self.loop_.stop(1);
  }
  return 0;
}

int BusConnection::dispatch(sd_event_source*, int, std::uint32_t, void* userdata) noexcept {
  static_cast<BusConnection*>(userdata)->process();
  return 0;
}

int BusConnection::elapsed(sd_event_source*, std::uint64_t, void* userdata) noexcept {
  static_cast<BusConnection*>(userdata)->process();
  return 0;
}

void BusConnection::process() noexcept {
  try {
    while (connection_->processPendingRequest()) {
    }
  } catch (const std::exception& caught) {
    // Whatever it was: libsystemd's state is unknown after it (each later call would be EBUSY). Start anew.
    log::error(std::string("The connection to the system bus is lost: ") + caught.what());
    loop_.stop(1);
  }
}

Result<void> BusConnection::request_name(const std::string& name) {
  try {
    connection_->requestName(name);
    return {};
  } catch (const sdbus::Error& caught) {
    return Error{Code::Unavailable, "cannot take the bus name " + name + ": " + caught.getMessage()};
  }
}

void BusConnection::release_name(const std::string& name) noexcept {
  run_guarded("the bus name", [&] { connection_->releaseName(name); });
}

sdbus::MethodCall BusConnection::adopt_call(sd_bus_message* message) {
  return AdoptedCall{message, sdbus_};
}

sdbus::PropertyGetReply BusConnection::adopt_property_reply(sd_bus_message* message) {
  return AdoptedReply{message, sdbus_};
}

void BusConnection::call(sdbus::IProxy& proxy, const std::string& interface, const std::string& member,
                         const std::function<void(sdbus::MethodCall&)>& arguments, Reply reply,
                         std::chrono::microseconds timeout) {
  try {
    auto message = proxy.createMethodCall(interface, member);
    if (arguments) arguments(message);
    proxy.callMethod(
        message,
        [reply](sdbus::MethodReply& answer, const sdbus::Error* error) {
          run_guarded("a reply", [&] { reply(error == nullptr ? &answer : nullptr, error); });
        },
        static_cast<std::uint64_t>(timeout.count()));
  } catch (const sdbus::Error& caught) {
    reply(nullptr, &caught);
  }
}

}  // namespace berth::bus
