#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "rest-bridge/api/call.hpp"
#include "rest-bridge/api/loop.hpp"

namespace berth::rest {

/// What the daemon gives the bridge to serve HTTPS with, and what it says about other sites' pages.
struct HttpsSetup {
  std::string certificate, key;  ///< PEM
  std::vector<UniqueFd> sockets;  ///< they listen already; none = HTTPS is off
  std::string allowed_origin, allowed_methods, allowed_headers;
  bool allowed_credentials = false;
};

/// Asks the daemon for its HttpsSetup: at the beginning, whenever the daemon says that it has changed, and of each new daemon.
/// Loop thread only.
class HttpsSource {
 public:
  HttpsSource(Loop& loop, std::function<void(HttpsSetup)> changed);
  ~HttpsSource();
  HttpsSource(const HttpsSource&) = delete;
  HttpsSource& operator=(const HttpsSource&) = delete;

 private:
  void connect();
  void fetch();
  static Task<bool> ask(HttpsSource& self);

  Loop& loop_;
  std::function<void(HttpsSetup)> changed_;
  std::unique_ptr<Bus> bus_;
  std::optional<Task<bool>> asking_;
  bool again_ = false;
  std::unique_ptr<Loop::Watch> reconnect_;
};

}  // namespace berth::rest
