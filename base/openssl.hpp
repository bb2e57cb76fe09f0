#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

/// Owners of OpenSSL's objects, and what each of its users needs. The parts that include this link with OpenSSL themselves.
namespace berth::openssl {

template <auto Free>
struct FreeBy {
  template <typename T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};
using Certificate = std::unique_ptr<X509, FreeBy<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, FreeBy<EVP_PKEY_free>>;
using Memory = std::unique_ptr<BIO, FreeBy<BIO_free>>;

/// Reads `text`, which has to live as long; null when there is no memory.
inline Memory memory_of(std::string_view text) { return Memory(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

/// What was written to a memory of BIO_s_mem().
inline std::string contents(const Memory& memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &data);
  return std::string(data, static_cast<std::size_t>(std::max(size, 0L)));
}

/// The first certificate of a text in PEM form; null when there is none, with what OpenSSL says of it.
inline Certificate certificate_of(std::string_view pem) {
  const auto memory = memory_of(pem);
  return Certificate(memory ? PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr) : nullptr);
}

/// The certificate as DER; empty for null, and for one that cannot be written.
inline std::string der_of(const X509* certificate) {
  unsigned char* bytes = nullptr;
  const int size = certificate ? i2d_X509(certificate, &bytes) : 0;
  if (size <= 0) return {};
  std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return der;
}

/// What OpenSSL says of this thread's last failure, after `what`. Internal.
inline Error failure(const std::string& what) {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  ERR_clear_error();
  return Error{Code::Internal, what + ": " + text.data()};
}

}  // namespace berth::openssl
