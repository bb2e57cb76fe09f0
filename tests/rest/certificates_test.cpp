#include <gtest/gtest.h>

#include "base/base64.hpp"
#include "tests/rest/harness.hpp"

namespace berth::resttest {
namespace {

/// The trust store's routes on the unix socket; HTTPS itself is in tests/clients/tls_tour.py.
class Certificates : public WithInstance {
 public:
  static std::string body(const std::string& der, const std::string& name) {
    return Json{{"type", "client"}, {"name", name}, {"certificate", base64_encode(der)}}.dump();
  }
  std::string add(const std::string& der, const std::string& name) {
    const auto answer = rest().request("POST", "/1.0/certificates", body(der, name));
    EXPECT_EQ(answer.status, 201) << answer.body;
    return answer.headers.at("location");
  }
};

TEST_F(Certificates, AreAddedListedChangedAndDeleted) {
  const auto url = add("one", "laptop");
  EXPECT_TRUE(url.starts_with("/1.0/certificates/"));
  const auto shown = rest().request("GET", url);
  EXPECT_EQ(shown.metadata()["name"], "laptop");
  EXPECT_EQ(shown.metadata()["projects"], Json::array());
  EXPECT_FALSE(shown.metadata().contains("created_at"));
  const auto etag = shown.headers.at("etag");
  EXPECT_EQ(rest().request("PATCH", url, R"({"name":"notebook"})", {"If-Match: \"old\""}).status, 412);
  EXPECT_EQ(rest().request("PATCH", url, R"({"name":"notebook"})", {"If-Match: " + etag}).status, 200);
  EXPECT_EQ(rest().request("GET", url.substr(0, url.size() - 20)).metadata()["name"], "notebook");
  bool listed = false;
  for (const auto& each : rest().request("GET", "/1.0/certificates").metadata()) listed |= each == url;
  EXPECT_TRUE(listed);
  EXPECT_EQ(rest().request("DELETE", url).status, 200);
  EXPECT_EQ(rest().request("GET", url).status, 404);
}

TEST_F(Certificates, ThatAreThereAreAConflictWithTheTextClientsLookFor) {
  add("two", "a");
  const auto again = rest().request("POST", "/1.0/certificates", body("two", "b"));
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(again.json()["error"], "Certificate already in trust store");
}

TEST_F(Certificates, MayComeInBrokenLines) {
  auto broken = Json::parse(body(std::string(100, 'x'), "lines"));
  auto text = broken["certificate"].get<std::string>();
  for (std::size_t at = 64; at < text.size(); at += 65) text.insert(at, "\n");
  broken["certificate"] = text;
  EXPECT_EQ(rest().request("POST", "/1.0/certificates", broken.dump()).status, 201);
}

TEST_F(Certificates, AreNeededWhereTheConnectionHasNone) {
  const auto answer = rest().request("POST", "/1.0/certificates", R"({"type":"client"})");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.json()["error"], "No client certificate provided");
}

TEST_F(Certificates, OfAPageOfAnAllowedSiteAreTakenAndOfAnotherRefused) {
  // Security rule 10. The allowed site comes from the daemon, soon after the start.
  for (int i = 0; i < 500; ++i)
    if (rest().request("GET", "/1.0/certificates", "", {"Origin: https://allowed.example"}).headers.contains("access-control-allow-origin")) break;
  EXPECT_EQ(rest().request("POST", "/1.0/certificates", body("three", "c"), {"Origin: https://other.example"}).status, 403);
  const auto taken = rest().request("POST", "/1.0/certificates", body("three", "c"), {"Origin: https://allowed.example"});
  EXPECT_EQ(taken.status, 201);
  EXPECT_EQ(taken.headers.at("access-control-allow-origin"), "https://allowed.example");
  EXPECT_EQ(taken.headers.at("access-control-allow-methods"), "GET");
}

}  // namespace
}  // namespace berth::resttest
