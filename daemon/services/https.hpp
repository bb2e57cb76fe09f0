#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "daemon/domain/document.hpp"
#include "daemon/domain/listen_address.hpp"
#include "daemon/ports/credentials.hpp"
#include "daemon/ports/tcp_listeners.hpp"
#include "daemon/services/context.hpp"

namespace berth::services {

/// The HTTPS side as far as it is the daemon's: it binds `core.https_address` and keeps the server's certificate, and hands
/// both to the REST bridge, which has no right to either. Any thread; blocking.
class Https {
 public:
  Https(Context& context, ports::Credentials& credentials, ports::TcpListeners& listeners)
      : context_(context), credentials_(credentials), listeners_(listeners) {}
  Https(const Https&) = delete;
  Https& operator=(const Https&) = delete;

  /// Sockets that listen already and that nobody is served by yet.
  struct Opened {
    std::optional<ListenAddress> address;  ///< none: HTTPS is off
    std::vector<UniqueFd> sockets;
  };
  /// Binds `address` (the key's text; empty = off). Errors: InvalidArgument that says why it cannot be.
  Result<Opened> open(const std::string& address);
  /// Serves on these from now on; the old ones stop listening at once, whoever holds them.
  void adopt(Opened opened);
  /// At the daemon's start: what the configuration says. A listener that cannot be is logged; the daemon serves without.
  void start();

  /// What the bridge needs; see Session.GetListeners.
  struct Handover {
    Document settings;
    std::vector<UniqueFd> sockets;  ///< duplicates
  };
  Result<Handover> handover();

  /// LXD's `addresses`, `certificate` and `certificate_fingerprint`.
  Document environment();
  std::vector<std::string> addresses();

  /// Told when handover() has something else to say. Call once, before start(). Any thread.
  void on_changed(std::function<void()> listener) { changed_ = std::move(listener); }
  /// One of the keys of handover() has another value.
  void settings_changed() const {
    if (changed_) changed_();
  }

 private:
  Context& context_;
  ports::Credentials& credentials_;
  ports::TcpListeners& listeners_;
  std::function<void()> changed_;
  std::mutex mutex_;
  Opened now_;
};

}  // namespace berth::services
