#pragma once

#include "base/result.hpp"
#include "cli/command.hpp"

namespace berth::cli {

Command remote_add_command();

/// An address as the configuration has it, from what a user writes: a host, a host with a port, a URL, the path of a
/// socket. Errors: InvalidArgument.
Result<std::string> complete_address(const std::string& text, const std::string& protocol);

/// What `config trust add` printed for a client.
struct JoinToken {
  std::string client_name;
  std::string fingerprint;  ///< of the server's certificate
  std::vector<std::string> addresses;
};
/// Nothing when a text is no token.
std::optional<JoinToken> read_token(const std::string& text);

}  // namespace berth::cli
