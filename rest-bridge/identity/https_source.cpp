#include "rest-bridge/identity/https_source.hpp"

#include <sdbus-c++/sdbus-c++.h>

#include <chrono>
#include <utility>

#include "base/log.hpp"
#include "base/object_path.hpp"

namespace berth::rest {
namespace {

constexpr std::chrono::seconds kReconnect{1};

HttpsSetup setup_of(const Json& settings, std::vector<UniqueFd> sockets) {
  return {.certificate = settings.value("certificate", ""),
          .key = settings.value("key", ""),
          .sockets = std::move(sockets),
          .allowed_origin = settings.value("allowed_origin", ""),
          .allowed_methods = settings.value("allowed_methods", ""),
          .allowed_headers = settings.value("allowed_headers", ""),
          .allowed_credentials = settings.value("allowed_credentials", false)};
}

}  // namespace

HttpsSource::HttpsSource(Loop& loop, std::function<void(HttpsSetup)> changed) : loop_(loop), changed_(std::move(changed)) {
  connect();
}

HttpsSource::~HttpsSource() = default;

void HttpsSource::connect() {
  asking_.reset();
  auto bus = Bus::open(loop_);
  if (!bus) {
    reconnect_ = loop_.after(kReconnect, [this] { loop_.post([this] { connect(); }); });
    return;
  }
  bus_ = *std::move(bus);
  bus_->on_lost([this] { reconnect_ = loop_.after(kReconnect, [this] { loop_.post([this] { connect(); }); }); });
  const auto name = std::string(kBusName);
  try {
    bus_->connection().addMatch("type='signal',sender='" + name + "',interface='" + name + ".Session',member='ListenersChanged'",
                                [this](sdbus::Message&) { loop_.post([this] { fetch(); }); }, sdbus::floating_slot);
    bus_->connection().addMatch(
        "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" + name + "'",
        [this](sdbus::Message& signal) {
          std::string changed;
          std::string old_owner;
          std::string new_owner;
          signal >> changed >> old_owner >> new_owner;
          if (!new_owner.empty()) loop_.post([this] { fetch(); });
        },
        sdbus::floating_slot);
  } catch (const sdbus::Error& failure) {
    log::warning("cannot watch for changes of the HTTPS listener: " + failure.getMessage());
  }
  bus_->refresh();
  fetch();
}

void HttpsSource::fetch() {
  if (asking_) {
    again_ = true;
    return;
  }
  again_ = false;
  asking_.emplace(ask(*this));
  asking_->start();
}

Task<bool> HttpsSource::ask(HttpsSource& self) {
  Caller caller(*self.bus_);
  Call call{.path = std::string(kRootPath), .interface = "Session", .member = "GetListeners", .arguments = {}};
  auto reply = co_await caller.call(std::move(call));
  std::optional<HttpsSetup> setup;
  if (!reply) {
    log::warning("the daemon does not tell where to serve HTTPS: " + reply.error().message);
  } else if (!reply->fds.empty()) {
    auto rows = read_rows(reply->fds.front().get());
    reply->fds.erase(reply->fds.begin());
    if (rows && rows->size() == 1 && rows->front().is_object())
      setup = setup_of(rows->front(), std::move(reply->fds));
    else
      log::warning("the daemon's word about HTTPS cannot be read");
  }
  // From the loop, since this frame cannot be destroyed while it runs.
  self.loop_.post([&self, held = std::make_shared<std::optional<HttpsSetup>>(std::move(setup))] {
    self.asking_.reset();
    if (*held) self.changed_(std::move(**held));
    if (self.again_) self.fetch();
  });
  co_return true;
}

}  // namespace berth::rest
