#include "daemon/services/https.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>

#include "base/log.hpp"
#include "daemon/domain/value_types.hpp"

namespace berth::services {
namespace {

std::string value_of(const ConfigMap& config, const std::string& key) {
  const auto found = config.find(key);
  return found == config.end() ? std::string() : found->second;
}

}  // namespace

Result<Https::Opened> Https::open(const std::string& address) {
  Opened opened;
  if (address.empty()) return opened;
  BERTH_TRY(auto where, parse_listen_address(address));
  // Without a certificate there is nothing to serve with, so it is needed before the address counts as set.
  BERTH_CHECK(credentials_.identity());
  BERTH_TRY(opened.sockets, listeners_.listen(where));
  opened.address = std::move(where);
  return opened;
}

void Https::adopt(Opened opened) {
  {
    const std::lock_guard lock(mutex_);
    std::swap(now_, opened);
  }
  // The bridge has duplicates, and closing ours would end nothing.
  for (const auto& socket : opened.sockets) (void)::shutdown(socket.get(), SHUT_RDWR);
  settings_changed();
}

void Https::start() {
  (void)credentials_.identity();  // made now where there is none: every client asks for it, and none has to wait so
  auto config = context_.store.server_config();
  const auto address = config ? value_of(*config, "core.https_address") : std::string();
  if (address.empty()) return;
  auto opened = open(address);
  if (!opened) return log::error("HTTPS is not served on core.https_address " + address + ": " + opened.error().message);
  adopt(*std::move(opened));
}

Result<Https::Handover> Https::handover() {
  BERTH_TRY(const auto config, context_.store.server_config());
  Handover given;
  given.settings = {{"certificate", ""},
                    {"key", ""},
                    {"allowed_origin", value_of(config, "core.https_allowed_origin")},
                    {"allowed_methods", value_of(config, "core.https_allowed_methods")},
                    {"allowed_headers", value_of(config, "core.https_allowed_headers")},
                    {"allowed_credentials", is_true(value_of(config, "core.https_allowed_credentials"))}};
  const std::lock_guard lock(mutex_);
  if (now_.sockets.empty()) return given;
  BERTH_TRY(const auto identity, credentials_.identity());
  given.settings["certificate"] = identity.certificate_pem;
  given.settings["key"] = identity.key_pem;
  for (const auto& socket : now_.sockets) {
    UniqueFd copy(::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0));
    if (!copy) return system_error("cannot duplicate a listening socket", errno);
    given.sockets.push_back(std::move(copy));
  }
  return given;
}

std::vector<std::string> Https::addresses() {
  std::optional<ListenAddress> address;
  {
    const std::lock_guard lock(mutex_);
    address = now_.address;
  }
  return address ? listeners_.addresses(*address) : std::vector<std::string>();
}

Document Https::environment() {
  Document out{{"addresses", addresses()}, {"certificate", ""}, {"certificate_fingerprint", ""}};
  const auto identity = credentials_.identity();
  if (!identity) {
    log::error("The server has no certificate: " + identity.error().message);
    return out;
  }
  out["certificate"] = identity->certificate_pem;
  out["certificate_fingerprint"] = identity->fingerprint.str();
  return out;
}

}  // namespace berth::services
