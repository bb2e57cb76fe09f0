#include "daemon/services/trust.hpp"

#include "base/base64.hpp"
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
  std::string secret_of(const OperationId& id) {
    const auto view = operations_.get(kRoot, id);
    EXPECT_TRUE(view);
    return std::get<std::string>(view->metadata.at("secret").value);
  }
  static std::string token(const std::string& secret) { return base64_encode(R"({"client_name":"x","secret":")" + secret + "\"}"); }

  fakes::FakeCertificateStore certificates_;
  fakes::FakeCredentials credentials_;
  fakes::FakeTcpListeners listeners_;
  fakes::FakeHostHardware hardware_;
  Https https_{context_, credentials_, listeners_};
  Trust trust_{context_, certificates_, credentials_, https_};
  Server server_{context_, {}, https_, credentials_, hardware_};
};

TEST_F(TrustStore, TrustsWhatRootAddsAndForgetsWhatItRemoves) {
  const auto added = add(kRoot, "1", {}, "laptop");
  ASSERT_TRUE(added) << added.error().message;
  EXPECT_TRUE(trust_.trusts(added->str()));
  const auto row = trust_.find(kRoot, added->str().substr(0, 10));
  ASSERT_TRUE(row);
  EXPECT_EQ(row->name, "laptop");
  ASSERT_TRUE(trust_.remove(kRoot, *added));
  EXPECT_FALSE(trust_.trusts(added->str()));
  EXPECT_EQ(trust_.find(kRoot, added->str()).error().message, "Certificate not found");
  EXPECT_THAT(actions(), testing::ElementsAre("certificate-created", "certificate-deleted"));
}

TEST_F(TrustStore, KnowsItsClientsAgainAfterARestart) {
  const auto added = add(kRoot, "1");
  ASSERT_TRUE(added);
  Trust next(context_, certificates_, credentials_, https_);
  EXPECT_FALSE(next.trusts(added->str()));
  ASSERT_TRUE(next.load());
  EXPECT_TRUE(next.trusts(added->str()));
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
  EXPECT_TRUE(trust_.trusts(added->str()));
  clock_.advance(std::chrono::hours(24 * 366));
  EXPECT_FALSE(trust_.trusts(added->str()));
  EXPECT_TRUE(trust_.knows(added->str()));
}

TEST_F(TrustStore, RefusesATypeItDoesNotHaveAndARestrictionItCannotHold) {
  EXPECT_EQ(trust_.add(kRoot, certificate("1"), {.type = "server"}, "").error().code, Code::InvalidArgument);
  EXPECT_EQ(trust_.add(kRoot, certificate("1"), {.restricted = true}, "").error().code, Code::NotSupported);
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
