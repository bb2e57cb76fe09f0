#include "cli/certificate.hpp"

#include "base/openssl.hpp"
#include "base/self_signed.hpp"

#include <array>
#include <ctime>
#include <pwd.h>
#include <unistd.h>

namespace berth::cli {
namespace {


std::string time_text(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

std::string fingerprint_of(const std::string& der) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(der.data(), der.size(), digest.data(), &size, EVP_sha256(), nullptr);
  constexpr const char* kDigits = "0123456789abcdef";
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    text += kDigits[digest.at(i) >> 4U];
    text += kDigits[digest.at(i) & 15U];
  }
  return text;
}

std::string common_name_of(X509* certificate) {
  auto* const subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return {};
  unsigned char* bytes = nullptr;
  const int size = ASN1_STRING_to_UTF8(&bytes, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
  if (size < 0) return {};
  std::string name(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return name;
}

std::string user_at_host() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  const auto* const user = ::getpwuid(::getuid());
  return std::string(user ? user->pw_name : "user") + '@' + host.data();
}

}  // namespace

Result<CertificateFacts> read_certificate(const std::string& pem) {
  const auto certificate = openssl::certificate_of(pem);
  ERR_clear_error();
  if (!certificate) return Error{Code::InvalidArgument, "this is no certificate in PEM form"};
  CertificateFacts facts{.der = openssl::der_of(certificate.get())};
  facts.fingerprint = fingerprint_of(facts.der);
  facts.common_name = common_name_of(certificate.get());
  facts.issued_at = time_text(X509_get0_notBefore(certificate.get()));
  facts.expires_at = time_text(X509_get0_notAfter(certificate.get()));
  return facts;
}

std::string pem_of(const std::string& der) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  const openssl::Certificate certificate(d2i_X509(nullptr, &bytes, static_cast<long>(der.size())));
  const openssl::Memory text(BIO_new(BIO_s_mem()));
  if (!certificate || !text || PEM_write_bio_X509(text.get(), certificate.get()) != 1) return {};
  return openssl::contents(text);
}

Result<ClientIdentity> make_client_identity() {
  BERTH_TRY(auto pair, make_self_signed({.common_name = user_at_host(), .usage = "clientAuth", .form = KeyForm::Classic},
                                        "cannot make a client certificate"));
  return ClientIdentity{.certificate = std::move(pair.certificate), .key = std::move(pair.key)};
}

}  // namespace berth::cli
