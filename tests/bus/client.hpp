#pragma once

#include <systemd/sd-bus.h>
#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace berth::bustest {

inline constexpr uid_t kNobody = 65534;
inline constexpr auto kRoot = "/org/berth/Berth1";
inline constexpr auto kManager = "org.berth.Berth1.Manager";
inline constexpr auto kDefaultProject = "/org/berth/Berth1/project/default";
inline constexpr auto kDenied = "org.berth.Berth1.Error.AccessDenied";
inline constexpr auto kInvalid = "org.berth.Berth1.Error.InvalidArgument";

/// While it lives, this thread acts as that user towards whoever asks the kernel (SO_PEERCRED). The other threads do not.
class ActAs {
 public:
  explicit ActAs(uid_t uid);
  ActAs(const ActAs&) = delete;
  ActAs& operator=(const ActAs&) = delete;
  ~ActAs();
};

struct MessageUnref {
  void operator()(sd_bus_message* message) const noexcept { sd_bus_message_unref(message); }
};
using Message = std::unique_ptr<sd_bus_message, MessageUnref>;

/// How a call ended: its reply, or its error.
struct Outcome {
  std::string error, text;  ///< both empty after a success
  Message reply;
  bool ok() const { return error.empty(); }
  /// The reply's first argument as text (s, o).
  std::string word() const;
  /// The reply's descriptor, which the reply keeps.
  int descriptor() const;
};
std::ostream& operator<<(std::ostream& to, const Outcome& outcome);

using Fill = std::function<void(sd_bus_message*)>;

/// A connection of one user to the private bus. Calls have a deadline.
class Client {
 public:
  explicit Client(uid_t uid = 0);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  Outcome call(const std::string& path, const std::string& interface, const std::string& member, const Fill& fill = {},
               bool interactive = false);
  /// Sends the call and comes back; its outcome is there once wait() says so.
  using Pending = std::shared_ptr<std::optional<Outcome>>;
  Pending send(const std::string& path, const std::string& interface, const std::string& member, const Fill& fill = {});
  /// Runs the connection until `pending` has its outcome. False after the deadline.
  bool wait(const Pending& pending, std::chrono::milliseconds limit = std::chrono::seconds(10));
  std::string name() const;
  /// One property, or all of an interface.
  Outcome get_all(const std::string& path, const std::string& interface);
  /// Waits until the operation at `path` has ended; its status then.
  std::string end_of(const std::string& path);

 private:
  struct Unref {
    void operator()(sd_bus* bus) const noexcept { sd_bus_flush_close_unref(bus); }
  };
  Message make(const std::string& path, const std::string& interface, const std::string& member, const Fill& fill);
  std::unique_ptr<sd_bus, Unref> bus_;
};

}  // namespace berth::bustest
