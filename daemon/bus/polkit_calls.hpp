#pragma once

#include <functional>
#include <memory>

#include "daemon/bus/bus_connection.hpp"
#include "daemon/ports/bus_calls.hpp"

namespace berth::bus {

/// polkit over the daemon's own connection. Loop thread only.
class PolkitBusCalls final : public ports::PolkitCalls {
 public:
  explicit PolkitBusCalls(BusConnection& connection);
  void check_authorization(const ports::PolkitSubject& subject, const std::string& action,
                           const std::map<std::string, std::string>& details, bool interactive,
                           std::function<void(Result<bool>)> answer) override;
  /// Called when polkit says Changed: rules, actions or temporary authorizations.
  void on_changed(std::function<void()> listener) { changed_ = std::move(listener); }

 private:
  BusConnection& connection_;
  std::unique_ptr<sdbus::IProxy> proxy_;
  std::function<void()> changed_;
};

}  // namespace berth::bus
