#include "daemon/services/trust.hpp"

#include "base/base64.hpp"
#include "daemon/services/projects.hpp"
#include "daemon/services/server.hpp"
#include "tests/fakes/fake_certificate_store.hpp"
#include "tests/fakes/fake_credentials.hpp"
#include "tests/fakes/fake_host_hardware.hpp"
#include "tests/unit/services/services_fixture.hpp"

namespace berth::services {
namespace {

/// The frame of a certificate that is valid in 2023 (where the tests' clock stands) and ends with the year given.
std::string certificate(const std::string& serial, const std::string& until = "30") {
  const auto element = [](char tag, const std::string& contents) {
    return std::string{tag, static_cast<char>(contents.size())} + contents;
  };
  const auto times = element(0x17, "200101000000Z") + element(0x17, until + "0101000000Z");
  const auto fields = element(0x02, serial) + element(0x30, "") + element(0x30, "") + element(0x30, times) +
                      element(0x30, "") + element(0x30, "");
  return element(0x30, element(0x30, fields) + element(0x30, "") + element(0x03, "s"));
}

class TrustStore : public ServicesTest {
 protected:
  static Principal guest() {
    Principal who;
    who.kind = PrincipalKind::Guest;
    return who;
  }
  void set(const ConfigMap& config) { ASSERT_TRUE(server_.set_config(kRoot, config, false, std::nullopt)); }
  Result<Fingerprint> add(const Principal& who, const std::string& serial, const std::string& password = {},
                          const std::string& name = {}) {
    return trust_.add(who, certificate(serial), {.name = name, .address = "192.0.2.1"}, password);
  }
  std::optional<ClientRights> rights(const std::string& serial, const std::string& until = "30") {
    return trust_.rights(trust_.examine(certificate(serial, until)));
  }
  bool trusts(const std::string& serial, const std::string& until = "30") { return rights(serial, until).has_value(); }
  ProjectName make_project(const std::string& name, const ConfigMap& config = {}) {
    auto project = *ProjectName::parse(name);
    EXPECT_TRUE(projects_.create(kRoot, project, config, ""));
    return project;
  }
  /// As the bus makes it of what rights() says.
  Principal client(const std::string& serial) {
    Principal who;
    who.fingerprint = credentials_.fingerprint(certificate(serial)).str();
    const auto may = rights(serial);
    if (!may) return who;
    who.kind = may->restricted ? PrincipalKind::Restricted : PrincipalKind::Certificate;
    who.uid = 0;
    who.projects = may->projects;
    return who;
  }
  std::string secret_of(const OperationId& id) {
    const auto view = operations_.get(kRoot, id);
    EXPECT_TRUE(view);
    return std::get<std::string>(view->metadata.at("secret").value);
  }
  static std::string token(const std::string& secret) { return base64_encode(R"({"client_name":"x","secret":")" + secret + "\"}"); }

  fakes::FakeCertificateStore certificates_{store_};
  fakes::FakeCredentials credentials_;
  fakes::FakeTcpListeners listeners_;
  fakes::FakeHostHardware hardware_;
  Https https_{context_, credentials_, listeners_};
  Trust trust_{context_, certificates_, credentials_, https_};
  Server server_{context_, {}, https_, credentials_, hardware_};
  Projects projects_{context_};
};

TEST_F(TrustStore, TrustsWhatRootAddsAndForgetsWhatItRemoves) {
  const auto added = add(kRoot, "1", {}, "laptop");
  ASSERT_TRUE(added) << added.error().message;
  EXPECT_TRUE(trusts("1"));
  EXPECT_EQ(*rights("1"), ClientRights{});
  const auto row = trust_.find(kRoot, added->str().substr(0, 10));
  ASSERT_TRUE(row);
  EXPECT_EQ(row->name, "laptop");
  ASSERT_TRUE(trust_.remove(kRoot, *added));
  EXPECT_FALSE(trusts("1"));
  EXPECT_EQ(trust_.find(kRoot, added->str()).error().message, "Certificate not found");
  EXPECT_THAT(actions(), testing::ElementsAre("certificate-created", "certificate-deleted"));
}

TEST_F(TrustStore, KnowsItsClientsAgainAfterARestart) {
  const auto added = add(kRoot, "1");
  ASSERT_TRUE(added);
  Trust next(context_, certificates_, credentials_, https_);
  EXPECT_FALSE(next.rights(next.examine(certificate("1"))));
  ASSERT_TRUE(next.load());
  EXPECT_TRUE(next.rights(next.examine(certificate("1"))));
}

TEST_F(TrustStore, SaysWhatClientsLookForWhenACertificateComesTwice) {
  ASSERT_TRUE(add(kRoot, "1"));
  const auto again = add(kRoot, "1");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().message, "Certificate already in trust store");
}

TEST_F(TrustStore, RefusesAGuestWithoutAPasswordAndWithAWrongOne) {
  EXPECT_EQ(add(guest(), "1").error().code, Code::AccessDenied);
  EXPECT_EQ(add(guest(), "1", "guess").error().code, Code::AccessDenied);  // none is set
  set({{"core.trust_password", "sesame"}});
  EXPECT_EQ(add(guest(), "1", "guess").error().message, "not authorized");
  EXPECT_EQ(add(guest(), "1", "emases").error().code, Code::AccessDenied);  // what is stored is not the password
  EXPECT_TRUE(certificates_.certificates()->empty());
}

TEST_F(TrustStore, LetsAGuestInByThePasswordAndNamesItAfterItsAddress) {
  set({{"core.trust_password", "sesame"}});
  const auto added = add(guest(), "1", "sesame");
  ASSERT_TRUE(added) << added.error().message;
  EXPECT_EQ(trust_.find(kRoot, added->str())->name, "192.0.2.1");
}

TEST_F(TrustStore, LetsOneGuestInByATokenAndNobodyAfterIt) {
  set({{"core.https_address", "127.0.0.1"}});
  const auto operation = trust_.create_token(kRoot, {.type = "client", .name = "phone"});
  ASSERT_TRUE(operation) << operation.error().message;
  const auto text = token(secret_of(*operation));
  const auto added = add(guest(), "1", text);
  ASSERT_TRUE(added) << added.error().message;
  EXPECT_EQ(trust_.find(kRoot, added->str())->name, "phone");
  EXPECT_EQ(add(guest(), "2", text).error().code, Code::AccessDenied);
  EXPECT_EQ(operations_.get(kRoot, *operation)->status, OperationStatus::Cancelled);
}

TEST_F(TrustStore, LetsNobodyInByARevokedToken) {
  set({{"core.https_address", "127.0.0.1"}});
  const auto operation = trust_.create_token(kRoot, {.name = "phone"});
  ASSERT_TRUE(operation);
  const auto text = token(secret_of(*operation));
  ASSERT_TRUE(operations_.cancel(kRoot, *operation));
  EXPECT_EQ(add(guest(), "1", text).error().code, Code::AccessDenied);
}

// Security rule 9: the secret is handed to its creator only.
TEST_F(TrustStore, ShowsATokensSecretToWhoeverMadeItAndToRootAlone) {
  set({{"core.https_address", "127.0.0.1"}});
  Principal admin = kRoot;
  admin.uid = 1000;
  const auto operation = trust_.create_token(admin, {.name = "phone"});
  ASSERT_TRUE(operation);
  EXPECT_EQ(secret_of(*operation).substr(0, 6), "secret");
  EXPECT_EQ(operations_.get(admin, *operation)->metadata.count("secret"), 1U);
  Principal member = kRoot;
  member.uid = 1001;
  EXPECT_EQ(operations_.get(member, *operation)->metadata.count("secret"), 0U);
  for (const auto& view : operations_.list(member, std::nullopt)) EXPECT_EQ(view.metadata.count("secret"), 0U);
}

// Security rule 11: a failure of any check is a refusal.
TEST_F(TrustStore, TrustsNoCertificateOutsideItsDatesAndNothingThatIsNone) {
  EXPECT_FALSE(trust_.add(kRoot, certificate("1", "21"), {}, ""));
  EXPECT_FALSE(trust_.add(kRoot, "not a certificate", {}, ""));
  const auto added = trust_.add(kRoot, certificate("1", "24"), {}, "");
  ASSERT_TRUE(added);
  EXPECT_TRUE(trusts("1", "24"));
  clock_.advance(std::chrono::hours(24 * 366));
  EXPECT_FALSE(trusts("1", "24"));
  EXPECT_TRUE(trust_.knows(added->str()));
}

TEST_F(TrustStore, RefusesATypeItDoesNotHaveAndAProjectThatIsNotThereOrNamedTwice) {
  EXPECT_EQ(trust_.add(kRoot, certificate("1"), {.type = "server"}, "").error().code, Code::InvalidArgument);
  const auto web = *ProjectName::parse("web");
  EXPECT_EQ(trust_.add(kRoot, certificate("1"), {.restricted = true, .projects = {web}}, "").error().code, Code::NotFound);
  make_project("web");
  EXPECT_EQ(trust_.add(kRoot, certificate("1"), {.restricted = true, .projects = {web, web}}, "").error().code,
            Code::InvalidArgument);
}

TEST_F(TrustStore, TrustsARestrictedClientWithItsProjectsAloneWhateverBecomesOfThem) {
  const auto web = make_project("web");
  ASSERT_TRUE(trust_.add(kRoot, certificate("1"), {.restricted = true, .projects = {web}}, ""));
  EXPECT_EQ(*rights("1"), (ClientRights{true, {web}}));
  const auto site = *ProjectName::parse("site");
  ASSERT_EQ(outcome(projects_.rename(kRoot, web, "site")).message, "");
  trust_.heard("project-renamed");
  EXPECT_EQ(*rights("1"), (ClientRights{true, {site}}));
  ASSERT_TRUE(projects_.remove(kRoot, site));
  trust_.heard("project-deleted");
  make_project("site");
  EXPECT_EQ(*rights("1"), (ClientRights{true, {}}));
}

TEST_F(TrustStore, TellsWhenAnotherSetOfClientsIsTrusted) {
  int told = 0;
  trust_.on_changed([&told] { ++told; });
  const auto web = make_project("web");
  const auto added = trust_.add(kRoot, certificate("1"), {.name = "x"}, "");
  ASSERT_TRUE(added);
  EXPECT_EQ(told, 1);
  ASSERT_TRUE(trust_.update(kRoot, *added, {.restricted = true, .projects = std::vector{web}}));
  EXPECT_EQ(told, 2);
  EXPECT_EQ(*rights("1"), (ClientRights{true, {web}}));
}

// Security rule 11: no source of trust lends more than the store gives.
TEST_F(TrustStore, LetsAClientInByATokenWithTheTokensRestrictionsWhateverItAsksFor) {
  set({{"core.https_address", "127.0.0.1"}});
  const auto web = make_project("web");
  const auto operation = trust_.create_token(kRoot, {.name = "phone", .restricted = true, .projects = {web}});
  ASSERT_TRUE(operation) << operation.error().message;
  ASSERT_TRUE(trust_.add(guest(), certificate("1"), {.restricted = false, .projects = {}}, token(secret_of(*operation))));
  EXPECT_EQ(*rights("1"), (ClientRights{true, {web}}));
}

// Security rule 8: what is not its own looks absent.
TEST_F(TrustStore, ShowsARestrictedClientItselfAloneAndLetsItReplaceNothingButItsCertificate) {
  const auto web = make_project("web");
  const auto own = trust_.add(kRoot, certificate("1"), {.name = "own", .restricted = true, .projects = {web}}, "");
  const auto other = trust_.add(kRoot, certificate("2"), {.name = "other"}, "");
  ASSERT_TRUE(own && other);
  const auto who = client("1");
  EXPECT_EQ(trust_.list(who)->size(), 1U);
  EXPECT_EQ(trust_.find(who, other->str()).error().code, Code::NotFound);
  EXPECT_EQ(trust_.remove(who, *other).error().code, Code::NotFound);
  EXPECT_EQ(trust_.update(who, *other, {.name = "x"}).error().code, Code::NotFound);
  EXPECT_EQ(trust_.update(who, *own, {.restricted = false}).error().message, "Only the certificate can be changed");
  EXPECT_EQ(trust_.update(who, *own, {.projects = std::vector{web, default_project()}}).error().code, Code::AccessDenied);
  EXPECT_EQ(trust_.update(who, *own, {.name = "x"}).error().code, Code::AccessDenied);
  ASSERT_TRUE(trust_.update(who, *own, {.name = "own", .der = certificate("3"), .restricted = true}));
  EXPECT_FALSE(trusts("1"));
  EXPECT_EQ(*rights("3"), (ClientRights{true, {web}}));
}

// Security rule 9.
TEST_F(TrustStore, ShowsARestrictedClientNoTokenThatLetsOthersIn) {
  set({{"core.https_address", "127.0.0.1"}});
  ASSERT_TRUE(trust_.add(kRoot, certificate("1"), {.restricted = true, .projects = {default_project()}}, ""));
  const auto operation = trust_.create_token(kRoot, {.name = "phone"});
  ASSERT_TRUE(operation);
  const auto who = client("1");
  EXPECT_EQ(operations_.get(who, *operation).error().code, Code::NotFound);
  EXPECT_TRUE(operations_.list(who, std::nullopt).empty());
  EXPECT_EQ(operations_.cancel(who, *operation).error().code, Code::NotFound);
}

TEST_F(TrustStore, HidesTheServersConfigurationFromARestrictedClient) {
  set({{"user.x", "y"}});
  ASSERT_TRUE(trust_.add(kRoot, certificate("1"), {.restricted = true}, ""));
  EXPECT_EQ(std::get<ConfigMap>(server_.describe(kRoot)->at("config").value).size(), 1U);
  EXPECT_TRUE(std::get<ConfigMap>(server_.describe(client("1"))->at("config").value).empty());
}

TEST_F(TrustStore, LetsATokenHoldForAsLongAsTheKeySays) {
  set({{"core.https_address", "127.0.0.1"}, {"core.remote_token_expiry", "26H"}});
  const auto operation = trust_.create_token(kRoot, {.name = "phone"});
  ASSERT_TRUE(operation) << operation.error().message;
  const auto view = operations_.get(kRoot, *operation);
  EXPECT_EQ(std::get<std::uint64_t>(view->metadata.at("expires_at").value),
            to_microseconds(clock_.now() + std::chrono::hours(26)));
  const auto text = token(secret_of(*operation));
  clock_.advance(std::chrono::hours(26));
  EXPECT_EQ(add(guest(), "1", text).error().code, Code::AccessDenied);
  EXPECT_FALSE(server_.set_config(kRoot, {{"core.remote_token_expiry", "soon"}}, false, std::nullopt));
  EXPECT_TRUE(server_.set_config(kRoot, {{"core.remote_token_expiry", ""}}, false, std::nullopt));
}

// Security rule 11, and CVE-2024-6156: where there is an authority, being in the store is not enough.
TEST_F(TrustStore, TrustsNobodyWhomItsAuthorityDoesNotVouchFor) {
  ASSERT_TRUE(add(kRoot, "1"));
  ASSERT_TRUE(add(kRoot, "S"));
  credentials_.signs = "S";
  EXPECT_FALSE(trusts("1"));
  EXPECT_TRUE(trusts("S"));
  EXPECT_EQ(trust_.examine("").voucher, Voucher::Refused);
}

// Security rule 11, and CVE-2024-6219: the restrictions of the store hold where the authority's word would do.
TEST_F(TrustStore, TrustsWhomItsAuthorityHasSignedIfTheKeySaysSoAndNeverBeyondItsRestrictions) {
  const auto web = make_project("web");
  credentials_.signs = "S";
  EXPECT_FALSE(trusts("S"));
  set({{"core.trust_ca_certificates", "true"}});
  trust_.settings_changed();
  EXPECT_EQ(*rights("S"), ClientRights{});
  EXPECT_FALSE(trusts("S", "21"));
  EXPECT_FALSE(trusts("1"));
  ASSERT_TRUE(trust_.add(kRoot, certificate("S"), {.restricted = true, .projects = {web}}, ""));
  EXPECT_EQ(*rights("S"), (ClientRights{true, {web}}));
}

TEST_F(TrustStore, KeepsTheHashOfThePasswordAndShowsTrue) {
  set({{"core.trust_password", "sesame"}, {"user.x", "y"}});
  EXPECT_EQ(store_.server_config()->at("core.trust_password"), "emases");
  EXPECT_EQ(server_.config(kRoot)->at("core.trust_password"), "true");
  ASSERT_TRUE(server_.set_config(kRoot, {{"user.x", "z"}}, true, std::nullopt, {"core.trust_password"}));
  EXPECT_EQ(store_.server_config()->at("core.trust_password"), "emases");
  EXPECT_FALSE(server_.set_config(kRoot, {}, true, std::nullopt, {"user.x"}));
  ASSERT_TRUE(server_.set_config(kRoot, {}, true, std::nullopt));
  EXPECT_TRUE(store_.server_config()->empty());
}

TEST_F(TrustStore, ChangesNothingWhenTheAddressCannotBeListenedOn) {
  set({{"core.https_address", "127.0.0.1"}});
  const auto refused = server_.set_config(kRoot, {{"core.https_address", "taken"}, {"user.x", "y"}}, false, std::nullopt);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "cannot set 'core.https_address' to 'taken': cannot listen on taken");
  EXPECT_EQ(store_.server_config()->size(), 1U);
  EXPECT_THAT(https_.addresses(), testing::ElementsAre("127.0.0.1:8443"));
}

TEST_F(TrustStore, HandsTheKeyOverOnlyWhileHttpsIsServed) {
  auto given = https_.handover();
  ASSERT_TRUE(given);
  EXPECT_TRUE(given->sockets.empty());
  EXPECT_EQ(std::get<std::string>(given->settings.at("key").value), "");
  set({{"core.https_address", "127.0.0.1"}});
  given = https_.handover();
  ASSERT_TRUE(given);
  EXPECT_EQ(given->sockets.size(), 1U);
  EXPECT_EQ(std::get<std::string>(given->settings.at("key").value), "key");
}

}  // namespace
}  // namespace berth::services
