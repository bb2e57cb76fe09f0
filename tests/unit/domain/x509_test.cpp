#include "daemon/domain/x509.hpp"

#include <gtest/gtest.h>

#include "base/base64.hpp"
#include "daemon/domain/listen_address.hpp"
#include "daemon/domain/server_keys.hpp"

namespace berth {
namespace {

/// A real certificate's frame with nothing inside its fields: what the reader looks at, and no more.
std::string element(unsigned char tag, const std::string& contents) {
  std::string out(1, static_cast<char>(tag));
  if (contents.size() >= 0x80) {
    out += '\x82';
    out += static_cast<char>(contents.size() >> 8U);
  }
  out += static_cast<char>(contents.size() & 0xffU);
  if (contents.size() >= 0x80 && contents.size() < 0x100) out = std::string(1, static_cast<char>(tag)) + '\x81' + static_cast<char>(contents.size());
  return out + contents;
}

std::string certificate(const std::string& from, const std::string& until, unsigned char time_tag = 0x17) {
  const auto times = element(time_tag, from) + element(time_tag, until);
  const auto fields = element(0xa0, element(0x02, "\x02")) + element(0x02, "\x01") + element(0x30, "") + element(0x30, "") +
                      element(0x30, times) + element(0x30, "") + element(0x30, std::string(200, 'k'));
  return element(0x30, element(0x30, fields) + element(0x30, "") + element(0x03, "s"));
}

TEST(CertificateDates, AreReadFromBothFormsOfTime) {
  const auto utc = read_certificate_dates(certificate("240229120000Z", "340101000000Z"));
  ASSERT_TRUE(utc) << utc.error().message;
  EXPECT_EQ(utc->valid_from, Timestamp{std::chrono::sys_days{std::chrono::year{2024} / 2 / 29}} + std::chrono::hours(12));
  const auto general = read_certificate_dates(certificate("20240229120000Z", "20510101000000Z", 0x18));
  ASSERT_TRUE(general) << general.error().message;
  EXPECT_EQ(general->valid_until, Timestamp{std::chrono::sys_days{std::chrono::year{2051} / 1 / 1}});
}

TEST(CertificateDates, OfWhatIsCutOffAnywhereAreRefused) {
  const auto whole = certificate("240229120000Z", "340101000000Z");
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(read_certificate_dates(whole.substr(0, size))) << size;
  EXPECT_FALSE(read_certificate_dates(whole + "x"));
}

TEST(CertificateDates, NeverFallOverAnyByte) {
  const auto whole = certificate("240229120000Z", "340101000000Z");
  for (std::size_t at = 0; at < whole.size(); ++at)
    for (int value = 0; value < 256; ++value) {
      auto changed = whole;
      changed[at] = static_cast<char>(value);
      (void)read_certificate_dates(changed).has_value();
    }
}

TEST(CertificateDates, ThatAreNoneAreRefused) {
  for (const auto* time : {"240230120000Z", "241301000000Z", "240101240000Z", "2401010000Z", "240101000000+", "24010100000xZ"})
    EXPECT_FALSE(read_certificate_dates(certificate(time, "340101000000Z"))) << time;
  EXPECT_FALSE(read_certificate_dates(certificate("340101000000Z", "240101000000Z")));
}

TEST(CertificatePem, GoesBothWays) {
  const auto der = certificate("240229120000Z", "340101000000Z");
  const auto back = certificate_der(certificate_pem(der));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, der);
  EXPECT_FALSE(certificate_der("nothing of the kind"));
}

TEST(Base64, GoesBothWaysForEveryLength) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    const auto back = base64_decode(base64_encode(bytes));
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, bytes);
    bytes += static_cast<char>(i);
  }
}

TEST(Base64, SkipsNewlinesAndNamesTheByteThatIsWrong) {
  EXPECT_EQ(*base64_decode("aGVs\nbG8=\n"), "hello");
  EXPECT_EQ(base64_decode("bad").error().message, "illegal base64 data at input byte 0");
  EXPECT_EQ(base64_decode("aGVs*G8=").error().message, "illegal base64 data at input byte 4");
  EXPECT_FALSE(base64_decode("aGVsbG8=x"));
  EXPECT_FALSE(base64_decode("a=GV"));
}

TEST(ListenAddress, HasAHostAndAPort) {
  const auto is = [](std::string_view text, std::string_view host, std::uint16_t port) {
    const auto address = parse_listen_address(text);
    return address && address->host == host && address->port == port;
  };
  EXPECT_TRUE(is("127.0.0.1", "127.0.0.1", 8443));
  EXPECT_TRUE(is("127.0.0.1:1", "127.0.0.1", 1));
  EXPECT_TRUE(is(":9000", "", 9000));
  EXPECT_TRUE(is("[::]", "::", 8443));
  EXPECT_TRUE(is("[::1]:9000", "::1", 9000));
  EXPECT_TRUE(is("::1", "::1", 8443));
  EXPECT_TRUE(is("some.host", "some.host", 8443));
  for (const auto* wrong : {"not an address", "[::1", "[::1]x", "a:0", "a:65536", "a:b", "[a]:1", "x;y"})
    EXPECT_FALSE(parse_listen_address(wrong)) << wrong;
}

TEST(ServerKeys, TellOfAnUnusableAddressAsLxdDoes) {
  const auto refused = validate_server_config({{"core.https_address", "not an address"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "cannot set 'core.https_address' to 'not an address': Couldn't resolve \"not an address\"");
}

TEST(ServerKeys, NeverShowASecret) {
  EXPECT_EQ(shown_server_config({{"core.trust_password", "hash"}, {"user.x", "y"}}),
            (ConfigMap{{"core.trust_password", "true"}, {"user.x", "y"}}));
  const auto refused = validate_server_config({{"core.trust_password", "a\nb"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message.find("a\nb"), std::string::npos);
  EXPECT_EQ(refused.error().message.find("b'"), std::string::npos);
}

}  // namespace
}  // namespace berth
