#include "daemon/services/trust.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

#include "base/base64.hpp"
#include "base/log.hpp"
#include "daemon/domain/server_keys.hpp"
#include "daemon/domain/x509.hpp"
#include "daemon/services/lifecycle_events.hpp"

namespace berth::services {
namespace {

constexpr std::size_t kLongestName = 255;
constexpr std::size_t kLongestPassword = 8192;
constexpr std::size_t kMostTokens = 1000;
/// Each check costs 16 MiB and tens of milliseconds, and guests are the ones who ask.
constexpr int kPasswordsAtOnce = 2;
constexpr std::size_t kShownDigits = 12;

Error no_certificate() { return Error{Code::NotFound, "Certificate not found"}; }
Error refused() { return Error{Code::AccessDenied, "not authorized"}; }

Result<void> check_client(const NewClient& client) {
  if (!client.type.empty() && client.type != "client")
    return Error{Code::InvalidArgument, "Unknown request type \"" + client.type.substr(0, kLongestName) + "\""};
  if (client.name.size() > kLongestName || has_control_characters(client.name))
    return Error{Code::InvalidArgument, "A certificate's name has at most 255 bytes and no control characters"};
  if (client.restricted)
    return Error{Code::NotSupported,
                 "This version of Berth trusts a client with everything or not at all; leave out `restricted`"};
  return {};
}

/// A certificate that may stand in the store now.
Result<CertificateDates> check_certificate(const std::string& der, Timestamp now) {
  BERTH_TRY(const auto dates, read_certificate_dates(der));
  if (now < dates.valid_from) return Error{Code::InvalidArgument, "The certificate is not valid yet"};
  if (now > dates.valid_until) return Error{Code::InvalidArgument, "The certificate has expired"};
  return dates;
}

Document request_document(const NewClient& client) {
  std::vector<std::string> projects;
  for (const auto& project : client.projects) projects.push_back(project.str());
  return {{"name", client.name},
          {"type", "client"},
          {"restricted", client.restricted},
          {"projects", std::move(projects)},
          {"certificate", ""},
          {"password", ""},
          {"token", true}};
}

}  // namespace

Result<void> Trust::load() { return reload(); }

Result<void> Trust::reload() {
  BERTH_TRY(const auto stored, store_.certificates());
  decltype(rows_) fresh;
  for (const auto& row : stored) fresh[row.fingerprint.str()] = Row{row.valid_from, row.valid_until, row.restricted};
  const std::lock_guard lock(mutex_);
  rows_ = std::move(fresh);
  return {};
}

bool Trust::trusts(const std::string& fingerprint) const {
  const auto now = context_.clock.now();
  const std::lock_guard lock(mutex_);
  const auto row = rows_.find(fingerprint);
  return row != rows_.end() && !row->second.restricted && row->second.from <= now && now <= row->second.until;
}

bool Trust::knows(const std::string& fingerprint) const {
  const std::lock_guard lock(mutex_);
  return rows_.contains(fingerprint);
}

std::vector<Fingerprint> Trust::fingerprints() const {
  std::vector<Fingerprint> out;
  const std::lock_guard lock(mutex_);
  for (const auto& [text, row] : rows_) out.push_back(*Fingerprint::parse(text));
  return out;
}

Result<Fingerprint> Trust::add(const Principal& who, const std::string& der, NewClient client,
                               const std::string& password) {
  BERTH_CHECK(check_client(client));
  if (!who.is_root() && who.kind != PrincipalKind::Local) {
    BERTH_TRY(client, admit(std::move(client), password));
  }
  const auto now = context_.clock.now();
  BERTH_TRY(const auto dates, check_certificate(der, now));
  auto fingerprint = credentials_.fingerprint(der);
  if (client.name.empty()) client.name = client.address;
  if (client.name.empty()) client.name = fingerprint.str().substr(0, kShownDigits);
  BERTH_CHECK(check_client(client));
  {
    const std::lock_guard lock(changing_);
    BERTH_CHECK(store_.insert_certificate({.uuid = new_uuid(),
                                           .fingerprint = fingerprint,
                                           .name = client.name,
                                           .pem = certificate_pem(der),
                                           .valid_from = dates.valid_from,
                                           .valid_until = dates.valid_until,
                                           .projects = client.projects,
                                           .owner_uid = who.kind == PrincipalKind::Local ? who.uid : 0,
                                           .created_at = now}));
    BERTH_CHECK(reload());
  }
  publish(who, fingerprint, "certificate-created");
  return fingerprint;
}

Result<NewClient> Trust::admit(NewClient client, const std::string& password) {
  if (password.empty() || password.size() > kLongestPassword) return refused();
  if (const auto token = use_token(password)) {
    if (client.name.empty()) client.name = token->client.name;
    client.projects = token->client.projects;
    return client;
  }
  BERTH_TRY(const bool right, is_trust_password(password));
  if (!right) return refused();
  return client;
}

std::optional<Trust::Token> Trust::use_token(const std::string& text) {
  const auto decoded = base64_decode(text);
  if (!decoded) return std::nullopt;
  const auto json = nlohmann::json::parse(*decoded, nullptr, false);
  if (!json.is_object() || !json.contains("secret") || !json["secret"].is_string()) return std::nullopt;
  const auto secret = json["secret"].get<std::string>();
  std::optional<std::pair<OperationId, Token>> used;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, token] : tokens_)
      if (credentials_.equal_secrets(secret, token.secret)) used.emplace(id, token);
    if (used) tokens_.erase(used->first);  // here, so that two who show it at once are not both let in
  }
  if (!used) return std::nullopt;
  context_.operations.finish(used->first, Error{Code::Cancelled, "The token has been used"});
  return used->second;
}

Result<bool> Trust::is_trust_password(const std::string& password) {
  BERTH_TRY(const auto config, context_.store.server_config());
  const auto kept = config.find(std::string(kTrustPasswordKey));
  if (kept == config.end() || kept->second.empty()) return false;
  struct Counted {
    std::atomic<int>& count;
    ~Counted() { --count; }
  };
  const int others = passwords_in_check_++;
  const Counted counted{passwords_in_check_};
  if (others >= kPasswordsAtOnce) return Error{Code::LimitsExceeded, "Too many passwords are tried at once; try again"};
  return credentials_.password_matches(password, kept->second);
}

Result<OperationId> Trust::create_token(const Principal& who, NewClient client) {
  BERTH_CHECK(check_client(client));
  BERTH_TRY(const auto identity, credentials_.identity());
  BERTH_TRY(auto secret, credentials_.new_secret());
  auto addresses = https_.addresses();
  if (addresses.empty())
    return Error{Code::FailedPrecondition, "The server does not listen for HTTPS, so a token is of no use; set core.https_address"};
  OperationSpec spec{.kind = "token",
                     .description = "Certificate add token",
                     .project = default_project(),
                     .owner = who,
                     .metadata = {{"secret", secret},
                                  {"fingerprint", identity.fingerprint.str()},
                                  {"addresses", std::move(addresses)},
                                  {"request", request_document(client)}}};
  // The id is ours, so that a cancel finds the token whenever it comes.
  const auto id = new_uuid();
  spec.id = id;
  {
    const std::lock_guard lock(mutex_);
    if (tokens_.size() >= kMostTokens)
      return Error{Code::LimitsExceeded, "There are 1,000 tokens; revoke some with `lxc config trust revoke-token`"};
    tokens_.emplace(id, Token{std::move(secret), std::move(client), who});
  }
  auto opened = context_.operations.open(std::move(spec), [this, id] { drop_token(id); });
  if (!opened) {
    const std::lock_guard lock(mutex_);
    tokens_.erase(id);
  }
  return opened;
}

void Trust::drop_token(const OperationId& id) {
  {
    const std::lock_guard lock(mutex_);
    tokens_.erase(id);
  }
  context_.operations.finish(id, Error{Code::Cancelled, "The token has been revoked"});
}

Result<std::vector<Certificate>> Trust::list(const Principal&) { return store_.certificates(); }

Result<Certificate> Trust::find(const Principal&, const std::string& reference) {
  if (reference.empty()) return no_certificate();
  BERTH_TRY(auto rows, store_.certificates());
  std::erase_if(rows, [&](const Certificate& row) { return !row.fingerprint.str().starts_with(reference); });
  if (rows.empty()) return no_certificate();
  if (rows.size() > 1)
    return Error{Code::InvalidArgument, "More than one certificate has a fingerprint that begins so; give more of it"};
  return std::move(rows.front());
}

Result<void> Trust::update(const Principal& who, const Fingerprint& fingerprint, CertificateChanges changes) {
  const std::lock_guard lock(changing_);
  BERTH_TRY(auto row, find(who, fingerprint.str()));
  if (changes.name) row.name = *changes.name;
  if (changes.projects) row.projects = *changes.projects;
  BERTH_CHECK(check_client({.type = changes.type.value_or(""), .name = row.name, .restricted = changes.restricted.value_or(false)}));
  if (row.name.empty()) return Error{Code::InvalidArgument, "A certificate needs a name"};
  if (changes.der && !changes.der->empty()) {
    BERTH_TRY(const auto dates, check_certificate(*changes.der, context_.clock.now()));
    row.fingerprint = credentials_.fingerprint(*changes.der);
    row.pem = certificate_pem(*changes.der);
    row.valid_from = dates.valid_from;
    row.valid_until = dates.valid_until;
  }
  BERTH_CHECK(store_.update_certificate(row, changes.if_revision));
  BERTH_CHECK(reload());
  publish(who, row.fingerprint, "certificate-updated");
  return {};
}

Result<void> Trust::remove(const Principal& who, const Fingerprint& fingerprint) {
  const std::lock_guard lock(changing_);
  BERTH_TRY(const auto row, find(who, fingerprint.str()));
  BERTH_CHECK(store_.delete_certificate(row.uuid));
  // Whatever the store says next, this one is out.
  {
    const std::lock_guard rows_lock(mutex_);
    rows_.erase(fingerprint.str());
  }
  publish(who, fingerprint, "certificate-deleted");
  return {};
}

void Trust::publish(const Principal& who, const Fingerprint& fingerprint, const std::string& action) {
  if (changed_) changed_();
  publish_lifecycle(context_, who, LifecycleSubject{"certificate", default_project(), fingerprint.str(), 0}, action);
}

}  // namespace berth::services
