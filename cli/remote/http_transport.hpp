#pragma once

#include "cli/remotes.hpp"
#include "cli/transport.hpp"

namespace berth::cli {

/// The server of a remote that is reached by HTTP: over TLS with the user's certificate, or through a unix socket. A
/// thread of its own carries the bytes; nothing connects before the first request. Errors: NotFound for an unknown
/// remote, InvalidArgument for an address that is none, NotSupported for another protocol.
Result<std::unique_ptr<Transport>> http_transport(const Configuration& configuration, const std::string& remote);

/// A web server at an https address, which is not told who the user is. An authority must vouch for it. Errors:
/// InvalidArgument.
Result<std::unique_ptr<Transport>> anonymous_http_transport(const Configuration& configuration, const std::string& address);

/// The certificate that a server shows, in DER form, whoever signed it; and whether one of the system's authorities
/// did, for its name.
struct ShownCertificate {
  std::string der;
  bool trusted = false;
};
/// Errors: Unavailable, InvalidArgument for an address that is no https one.
Result<ShownCertificate> shown_certificate(const std::string& address);

}  // namespace berth::cli
