#include "daemon/adapters/tls/authority.hpp"

#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/openssl.hpp"
#include "daemon/adapters/tls/pem_files.hpp"
#include "daemon/domain/x509.hpp"

namespace berth::tls {
namespace {

using openssl::Certificate;
using openssl::memory_of;
using RevocationList = std::unique_ptr<X509_CRL, openssl::FreeBy<X509_CRL_free>>;
using Verification = std::unique_ptr<X509_STORE_CTX, openssl::FreeBy<X509_STORE_CTX_free>>;

Error unreadable(const std::string& path, const std::string& what) {
  ERR_clear_error();
  return Error{Code::InvalidArgument, path + " is not " + what + " in PEM form; put it right, or move it away"};
}

/// One that has nothing in it is there: damaged, not absent.
bool is_there(const std::string& path) { return ::access(path.c_str(), F_OK) == 0 || errno != ENOENT; }

/// Adds what `read` finds in the text, one after the other. Their number, or nothing if one of them cannot be.
template <typename Read, typename Add>
int add_all(const std::string& text, Read read, Add add) {
  const auto memory = memory_of(text);
  int count = 0;
  while (const auto one = read(memory.get())) {
    if (add(one.get()) != 1) return 0;
    ++count;
  }
  // What ends the last one is that no other begins; anything else is damage.
  const bool ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  return ended ? count : 0;
}

}  // namespace

void Authority::Free::operator()(x509_store_st* store) const noexcept { X509_STORE_free(store); }

Result<std::shared_ptr<const Authority>> Authority::load(const std::string& folder) {
  const auto authority_file = folder + "/server.ca";
  const auto revoked_file = folder + "/ca.crl";
  if (!is_there(authority_file)) return std::shared_ptr<const Authority>();
  BERTH_TRY(const auto authorities, read_pem_file(authority_file));
  BERTH_TRY(const auto revoked, read_pem_file(revoked_file));
  ERR_clear_error();
  auto authority = std::make_shared<Authority>();
  authority->store_.reset(X509_STORE_new());
  auto* const store = authority->store_.get();
  if (store == nullptr) return Error{Code::Internal, "there is no memory for the server's authority"};
  const int signers = add_all(
      authorities, [](BIO* text) { return Certificate(PEM_read_bio_X509(text, nullptr, nullptr, nullptr)); },
      [store](X509* one) { return X509_STORE_add_cert(store, one); });
  if (signers == 0) return unreadable(authority_file, "the certificate of an authority");
  // One that stands in the file needs nobody above it.
  unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN;
  if (!revoked.empty() || is_there(revoked_file)) {
    const int lists = add_all(
        revoked, [](BIO* text) { return RevocationList(PEM_read_bio_X509_CRL(text, nullptr, nullptr, nullptr)); },
        [store](X509_CRL* one) { return X509_STORE_add_crl(store, one); });
    if (lists == 0) return unreadable(revoked_file, "a list of revoked certificates");
    flags |= X509_V_FLAG_CRL_CHECK;
  }
  if (X509_STORE_set_flags(store, flags) != 1 || X509_STORE_set_purpose(store, X509_PURPOSE_SSL_CLIENT) != 1)
    return unreadable(authority_file, "the certificate of an authority");
  return std::shared_ptr<const Authority>(std::move(authority));
}

bool Authority::has_signed(std::string_view der) const {
  if (!store_ || der.empty() || der.size() > kLargestCertificate) return false;
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  const auto* const end = bytes + der.size();
  const Certificate certificate(d2i_X509(nullptr, &bytes, static_cast<long>(der.size())));
  const Verification verification(X509_STORE_CTX_new());
  const bool valid = certificate && bytes == end && verification &&
                     X509_STORE_CTX_init(verification.get(), store_.get(), certificate.get(), nullptr) == 1 &&
                     X509_verify_cert(verification.get()) == 1;
  ERR_clear_error();
  return valid;
}

}  // namespace berth::tls
