#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "daemon/domain/certificate.hpp"
#include "daemon/domain/principal.hpp"
#include "daemon/ports/certificate_store.hpp"
#include "daemon/ports/credentials.hpp"
#include "daemon/services/context.hpp"
#include "daemon/services/https.hpp"

namespace berth::services {

/// What a new client of the trust store is to be.
struct NewClient {
  std::string type;  ///< empty means `client`
  std::string name;
  std::string address;  ///< where it comes from: its name when it has none
  bool restricted = false;
  std::vector<ProjectName> projects;
};

struct CertificateChanges {
  std::optional<std::string> name, type, der;
  std::optional<bool> restricted;
  std::optional<std::vector<ProjectName>> projects;
  std::optional<std::uint64_t> if_revision;
};

/// The trust store: which TLS clients may do what root may, or work in some projects. The one place that decides whether a
/// certificate is trusted; it looks at the SHA-256 of the DER, at the dates and, where the server has an authority, at its
/// word, and a failure of any check is a refusal. A restricted client (see ClientRights) sees itself alone here, and may
/// replace its own certificate and take it out. Blocking; workers only, but for what says otherwise.
class Trust {
 public:
  Trust(Context& context, ports::CertificateStore& store, ports::Credentials& credentials, Https& https)
      : context_(context), store_(store), credentials_(credentials), https_(https) {}
  Trust(const Trust&) = delete;
  Trust& operator=(const Trust&) = delete;

  /// Reads the store; before the bus serves.
  Result<void> load();
  /// What the client may do that shows this certificate now; none where it is not trusted. Any thread; does not block.
  std::optional<ClientRights> rights(const ShownCertificate& shown) const;
  /// The certificate with what the authority says of it. Any thread; does not block.
  ShownCertificate examine(std::string der) const;
  /// Reads the authority anew.
  void reload_authority();
  /// The server's configuration may be another one.
  void settings_changed();
  /// Told of each lifecycle event, so that certificates follow their projects.
  void heard(const std::string& action);
  /// Whether it is in the store, valid or not. Any thread; does not block.
  bool knows(const std::string& fingerprint) const;
  /// Any thread; does not block.
  std::vector<Fingerprint> fingerprints() const;

  /// Trusts a client. A guest must show the trust password or a token, which is used up by it.
  /// Errors: AccessDenied `not authorized`; AlreadyExists `Certificate already in trust store`; InvalidArgument for what is no
  /// certificate, or one that is not valid now; LimitsExceeded when too many passwords are tried at once.
  Result<Fingerprint> add(const Principal& who, const std::string& der, NewClient client, const std::string& password);
  /// An operation of class token that is there until it is cancelled or used.
  Result<OperationId> create_token(const Principal& who, NewClient client);
  Result<std::vector<Certificate>> list(const Principal& who);
  /// `reference` is a fingerprint or a unique prefix. Errors: NotFound; InvalidArgument where several begin so.
  Result<Certificate> find(const Principal& who, const std::string& reference);
  Result<void> update(const Principal& who, const Fingerprint& fingerprint, CertificateChanges changes);
  Result<void> remove(const Principal& who, const Fingerprint& fingerprint);

  /// Told when another set of clients is trusted. Call once, before the bus serves. Any thread.
  void on_changed(std::function<void()> listener) { changed_ = std::move(listener); }

 private:
  struct Token {
    std::string secret;
    NewClient client;
    Principal owner;
    Timestamp expires_at = kNever;
  };
  struct Row {
    Timestamp from{}, until{};
    ClientRights rights;
  };

  /// Lets a guest in, or AccessDenied. The client it gives is the token's where one was shown.
  Result<NewClient> admit(NewClient client, const std::string& password);
  std::optional<Token> use_token(const std::string& text);
  Result<bool> is_trust_password(const std::string& password);
  void drop_token(const OperationId& id, const std::string& why);
  Result<Timestamp> token_expiry();
  void expire_later(const OperationId& id, Timestamp when);
  Result<void> check_projects(const Principal& who, const std::vector<ProjectName>& projects);
  Result<void> reload();
  void publish(const Principal& who, const Fingerprint& fingerprint, const std::string& action);

  Context& context_;
  ports::CertificateStore& store_;
  ports::Credentials& credentials_;
  Https& https_;
  std::function<void()> changed_;
  std::atomic<int> passwords_in_check_{0};
  std::atomic<bool> authority_suffices_{false};  ///< core.trust_ca_certificates
  std::mutex changing_;  ///< one change at a time, so that the rows in memory are those of the last one
  mutable std::mutex mutex_;
  std::map<std::string, Row, std::less<>> rows_;
  std::map<OperationId, Token> tokens_;
};

}  // namespace berth::services
