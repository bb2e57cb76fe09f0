#pragma once

#include <unistd.h>

#include <functional>
#include <optional>
#include <string>

#include "daemon/ports/credentials.hpp"
#include "daemon/ports/tcp_listeners.hpp"

namespace berth::fakes {

/// Credentials without cryptography: a fingerprint is a number of the bytes, a hash is the text turned round.
class FakeCredentials final : public ports::Credentials {
 public:
  Result<ports::ServerIdentity> identity() override { return ports::ServerIdentity{"certificate", "key", fingerprint("server")}; }
  Result<void> load_authority() override { return {}; }
  Voucher vouch(std::string_view der) override {
    if (!signs) return Voucher::None;
    return der.find(*signs) == std::string_view::npos ? Voucher::Refused : Voucher::Signed;
  }
  Fingerprint fingerprint(std::string_view der) override {
    auto digits = std::to_string(std::hash<std::string_view>{}(der));
    digits.resize(64, '0');
    return *Fingerprint::parse(digits);
  }
  Result<std::string> hash_password(std::string_view password) override { return std::string(password.rbegin(), password.rend()); }
  bool password_matches(std::string_view password, std::string_view kept) override {
    return std::string(password.rbegin(), password.rend()) == kept;
  }
  bool equal_secrets(std::string_view a, std::string_view b) override { return a == b; }
  Result<std::string> new_secret() override { return "secret" + std::to_string(++secrets_); }

  std::optional<std::string> signs;  ///< there is an authority, which has signed what has this in it

 private:
  int secrets_ = 0;
};

/// Listens nowhere; says what was asked.
class FakeTcpListeners final : public ports::TcpListeners {
 public:
  Result<std::vector<UniqueFd>> listen(const ListenAddress& address) override {
    if (address.host == taken) return Error{Code::InvalidArgument, "cannot listen on " + taken};
    std::vector<UniqueFd> sockets;
    sockets.emplace_back(::dup(0));
    return sockets;
  }
  std::vector<std::string> addresses(const ListenAddress& address) override {
    return {join_host_port(address.host, address.port)};
  }
  std::string taken = "taken";
};

}  // namespace berth::fakes
