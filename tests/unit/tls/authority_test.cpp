// Whom the server's authority vouches for. Security rule 11: a failure of any check is a refusal.
#include <gtest/gtest.h>

#include <fstream>

#include "daemon/adapters/tls/openssl_credentials.hpp"
#include "tests/unit/store/temporary_folder.hpp"
#include "tests/unit/tls/test_authority.hpp"

namespace berth::tls {
namespace {

class AnAuthority : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) { std::ofstream(folder_.path() + "/" + name) << text; }
  Voucher says(const std::string& der) {
    loaded_ = credentials_.load_authority();
    return credentials_.vouch(der);
  }

  testing_support::TemporaryFolder folder_;
  testing_support::TestAuthority ours_{"ours"}, theirs_{"theirs"};
  OpensslCredentials credentials_{folder_.path()};
  Result<void> loaded_;
};

TEST_F(AnAuthority, ThatIsNotThereHasNothingToSay) {
  EXPECT_EQ(says(ours_.sign(2)), Voucher::None);
  EXPECT_TRUE(loaded_);
}

TEST_F(AnAuthority, VouchesForWhatItHasSignedAndForNothingElse) {
  write("server.ca", ours_.pem());
  EXPECT_EQ(says(ours_.sign(2)), Voucher::Signed);
  EXPECT_EQ(says(theirs_.sign(2)), Voucher::Refused);
  EXPECT_EQ(says(testing_support::TestAuthority("ours").sign(2)), Voucher::Refused) << "another of the same name";
  EXPECT_EQ(says(""), Voucher::Refused);
  EXPECT_EQ(says("no certificate"), Voucher::Refused);
  EXPECT_EQ(says(ours_.sign(2) + "more"), Voucher::Refused);
  EXPECT_EQ(says(ours_.sign(2, -1)), Voucher::Refused) << "it has ended";
  EXPECT_EQ(says(ours_.sign(2, 1, "serverAuth")), Voucher::Refused) << "a server's";
}

TEST_F(AnAuthority, MayBeSeveral) {
  write("server.ca", ours_.pem() + theirs_.pem());
  EXPECT_EQ(says(ours_.sign(2)), Voucher::Signed);
  EXPECT_EQ(says(theirs_.sign(2)), Voucher::Signed);
}

TEST_F(AnAuthority, VouchesNotForWhatItHasRevoked) {
  write("server.ca", ours_.pem());
  write("ca.crl", ours_.list({2, 5}));
  EXPECT_EQ(says(ours_.sign(2)), Voucher::Refused);
  EXPECT_EQ(says(ours_.sign(3)), Voucher::Signed);
}

TEST_F(AnAuthority, VouchesForNobodyByAListThatIsOutOfDateOrNotItsOwn) {
  write("server.ca", ours_.pem());
  write("ca.crl", ours_.list({2}, -1));
  EXPECT_EQ(says(ours_.sign(3)), Voucher::Refused);
  write("ca.crl", theirs_.list({2}));
  EXPECT_EQ(says(ours_.sign(3)), Voucher::Refused);
}

TEST_F(AnAuthority, VouchesForNobodyWhileOneOfItsFilesCannotBeRead) {
  write("server.ca", "no certificate");
  EXPECT_EQ(says(ours_.sign(2)), Voucher::Refused);
  ASSERT_FALSE(loaded_);
  EXPECT_EQ(loaded_.error().message.find(folder_.path() + "/server.ca"), 0U);
  write("server.ca", ours_.pem() + "-----BEGIN CERTIFICATE-----\nAAAA\n");
  EXPECT_EQ(says(ours_.sign(2)), Voucher::Refused);
  write("server.ca", ours_.pem());
  write("ca.crl", "no list");
  EXPECT_EQ(says(ours_.sign(2)), Voucher::Refused);
  write("ca.crl", "");
  EXPECT_EQ(says(ours_.sign(2)), Voucher::Refused);
  write("ca.crl", ours_.list({}));
  write("server.ca", "");
  EXPECT_EQ(says(ours_.sign(2)), Voucher::Refused) << "an empty file is no absent one";
  write("server.ca", ours_.pem());
  EXPECT_EQ(says(ours_.sign(2)), Voucher::Signed);
  EXPECT_TRUE(loaded_);
}

}  // namespace
}  // namespace berth::tls
