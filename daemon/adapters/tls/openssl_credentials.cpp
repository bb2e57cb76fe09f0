#include "daemon/adapters/tls/openssl_credentials.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

#include "daemon/adapters/tls/pem_files.hpp"
#include "daemon/adapters/tls/server_certificate.hpp"
#include "daemon/domain/x509.hpp"

namespace berth::tls {
namespace {

constexpr std::size_t kSaltSize = 32;
constexpr std::size_t kHashSize = 64;
constexpr std::uint64_t kCost = 16384;
constexpr std::uint64_t kBlock = 8;
constexpr std::uint64_t kMemory = 64ULL * 1024 * 1024;
constexpr std::size_t kSecretSize = 32;

std::string hexadecimal(const unsigned char* bytes, std::size_t size) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < size; ++i) {
    out += kDigits[bytes[i] >> 4U];
    out += kDigits[bytes[i] & 15U];
  }
  return out;
}

bool read_hexadecimal(std::string_view text, std::vector<unsigned char>& bytes) {
  const auto digit = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
  };
  if (text.size() % 2 != 0) return false;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = digit(text[i]);
    const int low = digit(text[i + 1]);
    if (high < 0 || low < 0) return false;
    bytes.push_back(static_cast<unsigned char>(high * 16 + low));
  }
  return true;
}

bool scrypt(std::string_view password, const unsigned char* salt, std::array<unsigned char, kHashSize>& hash) {
  return EVP_PBE_scrypt(password.data(), password.size(), salt, kSaltSize, kCost, kBlock, 1, kMemory, hash.data(),
                        hash.size()) == 1;
}

}  // namespace

Result<ports::ServerIdentity> OpensslCredentials::identity() {
  const std::lock_guard lock(mutex_);
  if (known_) return *known_;
  const auto certificate_file = folder_ + "/server.crt";
  const auto key_file = folder_ + "/server.key";
  KeyPair pair;
  BERTH_TRY(pair.certificate, read_pem_file(certificate_file));
  BERTH_TRY(pair.key, read_pem_file(key_file));
  // Never over what is there: one file without the other is somebody's mistake, and not ours to bury.
  if (pair.certificate.empty() != pair.key.empty())
    return Error{Code::Internal, "Of " + certificate_file + " and " + key_file +
                                     " there is only one; put the other beside it, or move it away"};
  if (pair.certificate.empty()) {
    std::array<char, 256> host{};
    (void)::gethostname(host.data(), host.size() - 1);
    BERTH_TRY(pair, make_server_certificate(host.data()));
    BERTH_CHECK(write_pem_file(key_file, pair.key, 0600));
    if (auto done = write_pem_file(certificate_file, pair.certificate, 0644); !done) {
      (void)::unlink(key_file.c_str());
      return std::move(done).error();
    }
  }
  BERTH_CHECK(check_key_pair(pair));
  BERTH_TRY(const auto der, certificate_der(pair.certificate));
  known_ = ports::ServerIdentity{pair.certificate, pair.key, fingerprint(der)};
  return *known_;
}

Result<void> OpensslCredentials::load_authority() {
  auto loaded = Authority::load(folder_);
  const std::lock_guard lock(mutex_);
  authority_ = loaded ? *loaded : std::make_shared<const Authority>();
  if (!loaded) return std::move(loaded).error();
  return {};
}

Voucher OpensslCredentials::vouch(std::string_view der) {
  std::shared_ptr<const Authority> authority;
  {
    const std::lock_guard lock(mutex_);
    authority = authority_;
  }
  if (!authority) return Voucher::None;
  return authority->has_signed(der) ? Voucher::Signed : Voucher::Refused;
}

Fingerprint OpensslCredentials::fingerprint(std::string_view der) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  (void)SHA256(reinterpret_cast<const unsigned char*>(der.data()), der.size(), digest.data());
  return *Fingerprint::parse(hexadecimal(digest.data(), digest.size()));
}

Result<std::string> OpensslCredentials::hash_password(std::string_view password) {
  std::array<unsigned char, kSaltSize> salt{};
  if (::getrandom(salt.data(), salt.size(), 0) != static_cast<ssize_t>(salt.size()))
    return system_error("cannot get random bytes", errno);
  std::array<unsigned char, kHashSize> hash{};
  if (!scrypt(password, salt.data(), hash)) return Error{Code::Internal, "the password cannot be hashed"};
  return hexadecimal(salt.data(), salt.size()) + hexadecimal(hash.data(), hash.size());
}

bool OpensslCredentials::password_matches(std::string_view password, std::string_view kept) {
  std::vector<unsigned char> bytes;
  if (!read_hexadecimal(kept, bytes) || bytes.size() != kSaltSize + kHashSize) return false;
  std::array<unsigned char, kHashSize> hash{};
  return scrypt(password, bytes.data(), hash) && CRYPTO_memcmp(hash.data(), bytes.data() + kSaltSize, hash.size()) == 0;
}

bool OpensslCredentials::equal_secrets(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Result<std::string> OpensslCredentials::new_secret() {
  std::array<unsigned char, kSecretSize> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    return system_error("cannot get random bytes", errno);
  return hexadecimal(bytes.data(), bytes.size());
}

}  // namespace berth::tls
