#pragma once

#include <sdbus-c++/sdbus-c++.h>
#include <systemd/sd-bus.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <tuple>

#include "base/result.hpp"
#include "daemon/bus/event_loop.hpp"

namespace berth::bus {

/// The daemon's one connection to the system bus, run by the event loop. Loop thread only. When the bus goes away the loop
/// is stopped with exit code 1, and the service manager starts the daemon anew.
class BusConnection {
 public:
  /// The system bus, or the one DBUS_SYSTEM_BUS_ADDRESS names. Errors: Unavailable.
  static Result<std::unique_ptr<BusConnection>> open(EventLoop& loop);
  BusConnection(const BusConnection&) = delete;
  BusConnection& operator=(const BusConnection&) = delete;

  /// Errors: Unavailable when another process has the name, or the policy forbids it.
  Result<void> request_name(const std::string& name);
  void release_name(const std::string& name) noexcept;

  sdbus::IConnection& sdbus() noexcept { return *connection_; }
  EventLoop& loop() noexcept { return loop_; }

  /// libsystemd's own handle of the same connection, for what sdbus-c++ 1.2 does not offer: fallback vtables, node
  /// enumerators, the interactive flag.
  sd_bus* raw() noexcept { return raw_; }
  /// sdbus-c++'s face of a message that libsystemd gave: takes a reference of its own.
  sdbus::MethodCall adopt_call(sd_bus_message* message);
  sdbus::PropertyGetReply adopt_property_reply(sd_bus_message* message);

  /// What a call of another service ended with: its reply, or its error.
  using Reply = std::function<void(sdbus::MethodReply* reply, const sdbus::Error* error)>;
  /// Calls another service without blocking; `arguments` writes them. `reply` comes on the loop, with the reply or with the
  /// error. Where even sending fails it comes before this returns.
  void call(sdbus::IProxy& proxy, const std::string& interface, const std::string& member,
            const std::function<void(sdbus::MethodCall&)>& arguments, Reply reply, std::chrono::microseconds timeout);

  /// The values of a reply of that form. Unavailable with the error's name and text, or when the form is another.
  template <typename... Values>
  static Result<std::tuple<Values...>> values_of(sdbus::MethodReply* reply, const sdbus::Error* error) {
    if (reply == nullptr) return Error{Code::Unavailable, error->getName() + ": " + error->getMessage()};
    try {
      std::tuple<Values...> values;
      std::apply([&](auto&... each) { (*reply >> ... >> each); }, values);
      return values;
    } catch (const sdbus::Error& wrong) {
      return Error{Code::Unavailable, "the answer has not the right form: " + wrong.getMessage()};
    }
  }

 private:
  BusConnection(EventLoop& loop, std::unique_ptr<sdbus::IConnection> connection);
  Result<void> attach();
  static int prepare(sd_event_source* source, void* userdata) noexcept;
  static int dispatch(sd_event_source* source, int fd, std::uint32_t events, void* userdata) noexcept;
  static int elapsed(sd_event_source* source, std::uint64_t when, void* userdata) noexcept;
  void process() noexcept;

  struct Unref {
    void operator()(sd_event_source* source) const noexcept { sd_event_source_disable_unref(source); }
  };
  EventLoop& loop_;
  std::unique_ptr<sdbus::IConnection> connection_;
  sdbus::internal::ISdBus* sdbus_ = nullptr;
  sd_bus* raw_ = nullptr;
  std::unique_ptr<sd_event_source, Unref> io_;
  std::unique_ptr<sd_event_source, Unref> timer_;
};

}  // namespace berth::bus
