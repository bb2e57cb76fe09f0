#pragma once

#include "base/unique_fd.hpp"
#include "cli/remote/tunnel.hpp"

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace berth::cli {

/// The websockets of one exec or console on a server, and the descriptors here that they are connected to. Used on the
/// thread of the executor alone.
class Wires : public std::enable_shared_from_this<Wires> {
 public:
  /// `secrets` by the stream's name ("0", "control"), `ends` the descriptors: of "0" alone a socket in both
  /// directions, else "0" to be read, "1" and "2" to be written. `over` is called once, when the output has ended.
  Wires(Destination destination, std::string operation, std::map<std::string, std::string> secrets,
        std::map<std::string, UniqueFd> ends, std::function<void()> over);
  ~Wires();

  /// Connects all of them, which makes the server begin, and carries the bytes from then on. Throws.
  boost::asio::awaitable<void> connect();
  /// Bytes of output that have come so far. From any thread.
  std::uint64_t carried() const noexcept { return carried_; }
  /// Sends a JSON text to the control stream, in order.
  void control(std::string text);

 private:
  struct Sockets;
  boost::asio::awaitable<void> input(std::string name);
  boost::asio::awaitable<void> output(std::string name);
  boost::asio::awaitable<void> send_controls();
  boost::asio::awaitable<void> read_control();
  void output_ended();

  Destination destination_;
  std::string operation_;
  std::map<std::string, std::string> secrets_;
  std::map<std::string, UniqueFd> ends_;
  std::function<void()> over_;
  std::unique_ptr<Sockets> sockets_;
  std::deque<std::string> controls_;
  std::size_t outputs_ = 0;
  std::atomic<std::uint64_t> carried_ = 0;
  bool sending_ = false;
};

/// Reads the events of a server until it breaks off; `target` is the request's. `began` is told of an answer that is
/// no websocket (its status and text), or of 101. Never throws.
boost::asio::awaitable<void> read_events(Destination destination, std::string target,
                                         std::function<void(int status, std::string text)> began,
                                         std::function<bool(std::string event)> event, std::function<void()> ended);

}  // namespace berth::cli
