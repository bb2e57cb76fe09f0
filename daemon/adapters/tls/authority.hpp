#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

struct x509_store_st;

namespace berth::tls {

/// Whoever signs the certificates of the server's clients (LXD's PKI mode): the certificates of a file `server.ca`, each of them
/// trusted by itself, and the lists of revoked ones of a file `ca.crl`, both PEM. Immutable; any thread.
class Authority {
 public:
  /// An authority that has signed nothing.
  Authority() = default;
  /// nullptr where `folder` has no `server.ca`. Errors: InvalidArgument that names the file which cannot be read.
  static Result<std::shared_ptr<const Authority>> load(const std::string& folder);

  /// Whether it has signed this client's certificate (DER), which is valid now, and has not revoked it. Where there is a
  /// list of revoked ones, it must be the authority's and up to date: what cannot be checked is refused.
  bool has_signed(std::string_view der) const;

 private:
  struct Free {
    void operator()(x509_store_st* store) const noexcept;
  };
  std::unique_ptr<x509_store_st, Free> store_;
};

}  // namespace berth::tls
