#include "daemon/services/trust.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>

#include "base/base64.hpp"
#include "base/log.hpp"
#include "daemon/domain/server_keys.hpp"
#include "daemon/domain/snapshot.hpp"
#include "daemon/domain/value_types.hpp"
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

bool is_restricted(const Principal& who) { return who.kind == PrincipalKind::Restricted; }

Result<void> check_client(const NewClient& client) {
  if (!client.type.empty() && client.type != "client")
    return Error{Code::InvalidArgument, "Unknown request type \"" + client.type.substr(0, kLongestName) + "\""};
  if (client.name.size() > kLongestName || has_control_characters(client.name))
    return Error{Code::InvalidArgument, "A certificate's name has at most 255 bytes and no control characters"};
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

Result<void> Trust::load() {
  reload_authority();
  settings_changed();
  return reload();
}

Result<void> Trust::reload() {
  BERTH_TRY(const auto stored, store_.certificates());
  decltype(rows_) fresh;
  for (const auto& row : stored)
    fresh[row.fingerprint.str()] = Row{row.valid_from, row.valid_until, {row.restricted, row.projects}};
  const std::lock_guard lock(mutex_);
  rows_ = std::move(fresh);
  return {};
}

void Trust::reload_authority() {
  if (const auto loaded = credentials_.load_authority(); !loaded)
    log::error("No TLS client is vouched for: " + loaded.error().message);
  if (changed_) changed_();
}

void Trust::settings_changed() {
  auto config = context_.store.server_config();
  authority_suffices_ = config && is_true((*config)[std::string(kTrustAuthorityKey)]);
  if (changed_) changed_();
}

/// Under the publisher's thread, which for these two is a worker that has just stored the change.
void Trust::heard(const std::string& action) {
  if (action != "project-renamed" && action != "project-deleted") return;
  const std::lock_guard lock(changing_);
  if (const auto read = reload(); !read) {
    log::error("The trust store cannot be read, so nobody is trusted: " + read.error().message);
    const std::lock_guard rows_lock(mutex_);
    rows_.clear();
  }
  if (changed_) changed_();
}

ShownCertificate Trust::examine(std::string der) const {
  ShownCertificate shown{.der = std::move(der), .fingerprint = {}};
  if (!shown.der.empty()) shown.fingerprint = credentials_.fingerprint(shown.der).str();
  shown.voucher = credentials_.vouch(shown.der);
  return shown;
}

std::optional<ClientRights> Trust::rights(const ShownCertificate& shown) const {
  if (shown.der.empty() || shown.voucher == Voucher::Refused) return std::nullopt;
  const auto now = context_.clock.now();
  {
    const std::lock_guard lock(mutex_);
    if (const auto row = rows_.find(shown.fingerprint); row != rows_.end()) {
      // What stands in the store holds, its restrictions above all, even where the authority's word would do.
      if (now < row->second.from || now > row->second.until) return std::nullopt;
      return row->second.rights;
    }
  }
  if (shown.voucher != Voucher::Signed || !authority_suffices_) return std::nullopt;
  const auto dates = read_certificate_dates(shown.der);
  if (!dates || now < dates->valid_from || now > dates->valid_until) return std::nullopt;
  return ClientRights{};
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
  BERTH_CHECK(check_projects(who, client.projects));
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
                                           .restricted = client.restricted,
                                           .projects = client.projects,
                                           .owner_uid = who.kind == PrincipalKind::Local ? who.uid : 0,
                                           .created_at = now}));
    BERTH_CHECK(reload());
  }
  publish(who, fingerprint, "certificate-created");
  return fingerprint;
}

/// Those of a token were checked when it was made, and may be gone by now: then it is worth nothing.
Result<void> Trust::check_projects(const Principal& who, const std::vector<ProjectName>& projects) {
  const bool by_token = who.kind == PrincipalKind::Guest || is_restricted(who);
  for (const auto& name : projects) {
    BERTH_CHECK(context_.store.project(by_token ? daemon_principal() : who, name));
    if (std::count(projects.begin(), projects.end(), name) > 1)
      return Error{Code::InvalidArgument, "Project \"" + name.str() + "\" is named twice"};
  }
  return {};
}

Result<NewClient> Trust::admit(NewClient client, const std::string& password) {
  if (password.empty() || password.size() > kLongestPassword) return refused();
  if (const auto token = use_token(password)) {
    if (client.name.empty()) client.name = token->client.name;
    client.restricted = token->client.restricted;
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
    const auto now = context_.clock.now();
    const std::lock_guard lock(mutex_);
    for (const auto& [id, token] : tokens_)
      if (credentials_.equal_secrets(secret, token.secret) && (token.expires_at == kNever || now < token.expires_at)) used.emplace(id, token);
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
  BERTH_CHECK(check_projects(who, client.projects));
  BERTH_TRY(const auto expires_at, token_expiry());
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
  if (expires_at != kNever) spec.metadata.emplace("expires_at", to_microseconds(expires_at));
  // The id is ours, so that a cancel finds the token whenever it comes.
  const auto id = new_uuid();
  spec.id = id;
  {
    const std::lock_guard lock(mutex_);
    if (tokens_.size() >= kMostTokens)
      return Error{Code::LimitsExceeded, "There are 1,000 tokens; revoke some with `lxc config trust revoke-token`"};
    tokens_.emplace(id, Token{std::move(secret), std::move(client), who, expires_at});
  }
  auto opened = context_.operations.open(std::move(spec), [this, id] { drop_token(id, "The token has been revoked"); });
  if (!opened) {
    const std::lock_guard lock(mutex_);
    tokens_.erase(id);
  } else if (expires_at != kNever) {
    expire_later(id, expires_at);
  }
  return opened;
}

Result<Timestamp> Trust::token_expiry() {
  BERTH_TRY(const auto config, context_.store.server_config());
  const auto kept = config.find(std::string(kTokenExpiryKey));
  return snapshot_expiry(context_.clock.now(), kept == config.end() ? "" : kept->second);
}

/// A day at most at a time, since a clock may be set.
void Trust::expire_later(const OperationId& id, Timestamp when) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(when - context_.clock.now());
  if (left.count() <= 0) return drop_token(id, "The token has expired");
  const auto wait = std::min<std::chrono::milliseconds>(left, std::chrono::hours(24));
  context_.workers.submit_after(wait, [this, id, when] {
    {
      const std::lock_guard lock(mutex_);
      if (!tokens_.contains(id)) return;
    }
    expire_later(id, when);
  });
}

void Trust::drop_token(const OperationId& id, const std::string& why) {
  {
    const std::lock_guard lock(mutex_);
    tokens_.erase(id);
  }
  context_.operations.finish(id, Error{Code::Cancelled, why});
}

Result<std::vector<Certificate>> Trust::list(const Principal& who) {
  BERTH_TRY(auto rows, store_.certificates());
  if (is_restricted(who))
    std::erase_if(rows, [&](const Certificate& row) { return row.fingerprint.str() != who.fingerprint; });
  return rows;
}

Result<Certificate> Trust::find(const Principal& who, const std::string& reference) {
  if (reference.empty()) return no_certificate();
  BERTH_TRY(auto rows, list(who));
  std::erase_if(rows, [&](const Certificate& row) { return !row.fingerprint.str().starts_with(reference); });
  if (rows.empty()) return no_certificate();
  if (rows.size() > 1)
    return Error{Code::InvalidArgument, "More than one certificate has a fingerprint that begins so; give more of it"};
  return std::move(rows.front());
}

Result<void> Trust::update(const Principal& who, const Fingerprint& fingerprint, CertificateChanges changes) {
  const std::lock_guard lock(changing_);
  BERTH_TRY(auto row, find(who, fingerprint.str()));
  const auto before = row;
  if (changes.name) row.name = *changes.name;
  if (changes.restricted) row.restricted = *changes.restricted;
  if (changes.projects) row.projects = *changes.projects;
  if (is_restricted(who) &&
      (row.name != before.name || row.restricted != before.restricted || row.projects != before.projects))
    return Error{Code::AccessDenied, "Only the certificate can be changed"};
  BERTH_CHECK(check_client({.type = changes.type.value_or(""), .name = row.name}));
  BERTH_CHECK(check_projects(who, row.projects));
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
