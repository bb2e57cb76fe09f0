#include "cli/remotes.hpp"

#include "cli/aliases.hpp"
#include "cli/certificate.hpp"
#include "cli/commands/remote_add.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace berth::cli {
namespace {

constexpr const char* kFile = R"(default-remote: far
remotes:
  far:
    addr: https://192.0.2.7:8443
    auth_type: tls
    project: shop
    protocol: lxd
    public: false
  images:
    addr: https://images.example
    protocol: simplestreams
    public: true
  local:
    addr: https://evil.example
aliases:
  ll: list -c ns
)";

Configuration parsed(const std::string& text) {
  auto made = Configuration::parse(text, "/folder");
  EXPECT_TRUE(made) << made.error().message;
  return made ? *std::move(made) : Configuration::only_local();
}

TEST(Remotes, AreReadAsLxcWritesThem) {
  const auto configuration = parsed(kFile);
  EXPECT_EQ(configuration.default_remote, "far");
  const auto far = configuration.find("far");
  ASSERT_TRUE(far);
  EXPECT_EQ((*far)->address, "https://192.0.2.7:8443");
  EXPECT_EQ((*far)->project, "shop");
  EXPECT_TRUE((*configuration.find("images"))->is_public);
  EXPECT_EQ((*configuration.find("images"))->protocol, "simplestreams");
  EXPECT_EQ(configuration.aliases.at("ll"), "list -c ns");
  EXPECT_EQ(configuration.certificate_path("far"), "/folder/servercerts/far.crt");
}

TEST(Remotes, KeepLocalForThisMachine) {
  const auto configuration = parsed(kFile);
  EXPECT_TRUE((*configuration.find("local"))->is_local());
  EXPECT_TRUE((*configuration.find("local"))->is_static);
}

TEST(Remotes, SurviveBeingWrittenAndRead) {
  const auto first = parsed(kFile);
  const auto second = parsed(first.text());
  EXPECT_EQ(first.text(), second.text());
  EXPECT_EQ(second.default_remote, "far");
  EXPECT_EQ(second.remotes.size(), 3U);
  EXPECT_EQ(first.text().find("local:"), std::string::npos);
}

TEST(Remotes, AreLocalAloneWithoutAFile) {
  const auto configuration = parsed("");
  EXPECT_EQ(configuration.default_remote, "local");
  EXPECT_EQ(configuration.remotes.size(), 1U);
}

TEST(Remotes, OfABrokenFileAreAnError) { EXPECT_FALSE(Configuration::parse("remotes: [", "/folder")); }

TEST(Remotes, TakeNamesApart) {
  const auto configuration = parsed(kFile);
  const auto plain = configuration.split("web");
  EXPECT_EQ(plain->remote, "far");
  EXPECT_EQ(plain->name, "web");
  const auto named = configuration.split("local:web/before");
  EXPECT_EQ(named->remote, "local");
  EXPECT_EQ(named->name, "web/before");
  EXPECT_EQ(configuration.split("local:")->name, "");
  const auto unknown = configuration.split("near:web");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().message, "The remote \"near\" doesn't exist");
}

TEST(Remotes, OfAnotherNameAreEscapedInTheError) {
  EXPECT_EQ(parsed("").split("\x1b[2J:x").error().message.find('\x1b'), std::string::npos);
}

TEST(Remotes, HaveNamesThatCanBeFiles) {
  EXPECT_TRUE(check_remote_name("far-1"));
  for (const auto* const name : {"", ".", "..", "a/b", "a:b", "a\nb"}) EXPECT_FALSE(check_remote_name(name)) << name;
}

TEST(Addresses, AreCompleted) {
  const auto of = [](const char* text) {
    const auto address = complete_address(text, "lxd");
    return address ? *address : "error";
  };
  EXPECT_EQ(of("192.0.2.7"), "https://192.0.2.7:8443");
  EXPECT_EQ(of("host:9443"), "https://host:9443");
  EXPECT_EQ(of("https://host"), "https://host:8443");
  EXPECT_EQ(of("https://host:1/"), "https://host:1");
  EXPECT_EQ(of("2001:db8::1"), "https://[2001:db8::1]:8443");
  EXPECT_EQ(of("[2001:db8::1]:9"), "https://[2001:db8::1]:9");
  EXPECT_EQ(of("unix:///run/x.socket"), "unix:///run/x.socket");
  EXPECT_EQ(of("unix:/run/x.socket"), "unix:///run/x.socket");
  EXPECT_EQ(of("/run/x.socket"), "unix:///run/x.socket");
  EXPECT_EQ(of("unix://"), "unix://");
  EXPECT_EQ(of("http://host"), "error");
  EXPECT_EQ(of("https://host/path"), "error");
  EXPECT_EQ(of(""), "error");
  EXPECT_EQ(*complete_address("https://images.example/some/path", "simplestreams"), "https://images.example/some/path");
}

TEST(Tokens, AreReadAndNothingElseIs) {
  const auto token = read_token(
      "eyJjbGllbnRfbmFtZSI6ImxhcHRvcCIsImZpbmdlcnByaW50IjoiYWIiLCJhZGRyZXNzZXMiOlsiYToxIl0sInNlY3JldCI6InMifQ==");
  ASSERT_TRUE(token);
  EXPECT_EQ(token->client_name, "laptop");
  EXPECT_EQ(token->fingerprint, "ab");
  EXPECT_EQ(token->addresses, std::vector<std::string>{"a:1"});
  for (const auto* const text : {"", "host", "192.0.2.7:8443", "e30="}) EXPECT_FALSE(read_token(text)) << text;
}

TEST(Aliases, AreReplacedAtTheBeginning) {
  const std::map<std::string, std::string> aliases{{"ll", "list -c \"n s\""},
                                                   {"sh", "exec @ARGS@ -- sh"},
                                                   {"list", "list -f csv"},
                                                   {"image ls", "image list -f yaml"}};
  EXPECT_EQ(expand_aliases(aliases, {"ll", "web"}), (Strings{"list", "-c", "n s", "web"}));
  EXPECT_EQ(expand_aliases(aliases, {"sh", "web"}), (Strings{"exec", "web", "--", "sh"}));
  EXPECT_EQ(expand_aliases(aliases, {"list"}), (Strings{"list", "-f", "csv"}));
  EXPECT_EQ(expand_aliases(aliases, {"image", "ls", "x"}), (Strings{"image", "list", "-f", "yaml", "x"}));
  EXPECT_EQ(expand_aliases(aliases, {"-q", "--project", "p", "ll"}),
            (Strings{"-q", "--project", "p", "list", "-c", "n s"}));
  EXPECT_EQ(expand_aliases(aliases, {"exec", "ll"}), (Strings{"exec", "ll"}));
  EXPECT_EQ(expand_aliases(aliases, {}), Strings{});
}

TEST(Certificates, SayWhoseTheyAre) {
  const auto identity = make_client_identity();
  ASSERT_TRUE(identity);
  EXPECT_TRUE(identity->key.starts_with("-----BEGIN EC PRIVATE KEY-----"));
  const auto facts = read_certificate(identity->certificate);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->fingerprint.size(), 64U);
  EXPECT_NE(facts->common_name.find('@'), std::string::npos);
  EXPECT_EQ(pem_of(facts->der), identity->certificate);
  EXPECT_LT(facts->issued_at, facts->expires_at);
  EXPECT_FALSE(read_certificate("nothing"));
}

TEST(ConfigurationFiles, AreWrittenWholeWithTheirFolder) {
  std::string folder = "/tmp/berth-cli-test-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const auto path = folder + "/a/b/client.key";
  ASSERT_TRUE(write_configuration_file(path, "text", 0600));
  EXPECT_EQ(*read_configuration_file(path), "text");
  EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms(0600));
  EXPECT_EQ(read_configuration_file(folder + "/none").error().code, Code::NotFound);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace berth::cli
