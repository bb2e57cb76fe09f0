#pragma once

#include <string>

#include "base/result.hpp"

namespace berth {

/// A certificate and its key, PEM.
struct KeyPair {
  std::string certificate, key;
};

/// How a key is written.
enum class KeyForm {
  Pkcs8,    ///< `PRIVATE KEY`
  Classic,  ///< `EC PRIVATE KEY`, which lxc writes and reads
};

/// Whose certificate it is to be. The texts of `usage` and `names` are OpenSSL's (x509v3_config(5)); no user's text may go there.
struct SelfSignedRequest {
  std::string common_name;  ///< cut at the 64 bytes that fit
  std::string usage;        ///< `serverAuth`, `clientAuth`
  std::string names = {};   ///< alternative names; empty: none
  KeyForm form = KeyForm::Pkcs8;
};

/// A new key of the curve P-384 and a certificate for it that signs itself: ten years, `O=linuxcontainers.org`, as the servers and
/// clients of LXD have them. `what` begins the error. Errors: Internal with OpenSSL's text.
Result<KeyPair> make_self_signed(const SelfSignedRequest& request, const std::string& what);

}  // namespace berth
