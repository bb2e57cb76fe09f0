#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>

#include "base/event_loop.hpp"
#include "base/packet.hpp"
#include "base/unique_fd.hpp"
#include "daemon/domain/supervisor_protocol.hpp"

namespace berth::supervisor {

/// The control socket: takes questions, hands them to a handler, carries its answers back. A peer that sends nonsense or
/// does not read loses its connection and nothing else happens. Loop thread.
class ControlServer {
 public:
  using Client = std::uint64_t;
  using Handler = std::function<void(Client, Message, std::vector<UniqueFd>)>;
  using Gone = std::function<void()>;

  /// `no_watchers` is told when the last watching connection closes.
  ControlServer(EventLoop& loop, Handler handler, Gone no_watchers);
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  Result<void> listen(const std::string& path);
  /// Answers a client that may be gone by now.
  void answer(Client client, const Message& message, std::span<const int> fds = {});
  /// This client is told what `notify` says.
  void add_watcher(Client client);
  void notify(const Message& message);

 private:
  struct Connection {
    UniqueFd socket;
    bool watching = false;
  };
  void accept();
  void receive(Client client);
  void close(Client client);

  EventLoop& loop_;
  Handler handler_;
  Gone no_watchers_;
  UniqueFd listener_;
  std::map<Client, Connection> clients_;
  Client last_client_ = 0;
};

}  // namespace berth::supervisor
