#pragma once

#include <string>

#include "base/result.hpp"
#include "base/self_signed.hpp"

namespace berth::tls {

/// A new key of the curve P-384 and a certificate for it that signs itself: ten years, `O=linuxcontainers.org`,
/// `CN=root@HOST`, the host's name and the loopback addresses as alternative names, for servers. What clients of LXD see.
/// Errors: Internal with OpenSSL's text.
Result<KeyPair> make_server_certificate(const std::string& host_name);

/// Whether the two belong together. Errors: Internal that says what is wrong.
Result<void> check_key_pair(const KeyPair& pair);

}  // namespace berth::tls
