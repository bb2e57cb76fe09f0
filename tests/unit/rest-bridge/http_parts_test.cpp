#include <gtest/gtest.h>

#include <map>

#include "rest-bridge/http/browser_rules.hpp"
#include "rest-bridge/http/multipart.hpp"

namespace berth::rest {
namespace {

struct Collected final : Multipart::Sink {
  std::map<std::string, std::string> parts;
  std::string now;
  int ended = 0;
  Result<void> begin(const std::string& name) override {
    now = name;
    parts[name];
    return {};
  }
  void data(std::string_view bytes) override { parts[now] += bytes; }
  void end() override { ++ended; }
};

TEST(AMultipartBody, IsTheSameHoweverItIsCut) {
  const std::string body = "preamble\r\n--B\r\nContent-Disposition: form-data; name=\"metadata\"; filename=\"m\"\r\nContent-Type: x/y\r\n\r\nmeta\r\n--no\r\n"
                           "\r\n--B\r\ncontent-disposition: form-data; name=rootfs\r\n\r\n\r\n--\r\n\r\n--B--\r\nepilogue";
  for (std::size_t step = 1; step < body.size(); ++step) {
    Collected collected;
    Multipart multipart("B", collected);
    for (std::size_t at = 0; at < body.size(); at += step) ASSERT_TRUE(multipart.feed(std::string_view(body).substr(at, step)));
    EXPECT_TRUE(multipart.finish());
    EXPECT_EQ(collected.parts["metadata"], "meta\r\n--no\r\n") << step;
    EXPECT_EQ(collected.parts["rootfs"], "\r\n--\r\n") << step;
    EXPECT_EQ(collected.ended, 2);
  }
}

TEST(AMultipartBody, WithoutItsEndIsRefused) {
  Collected collected;
  Multipart multipart("B", collected);
  ASSERT_TRUE(multipart.feed("--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\ndata"));
  EXPECT_FALSE(multipart.finish());
}

TEST(AMultipartBody, WithAHeaderWithoutEndIsRefused) {
  Collected collected;
  Multipart multipart("B", collected);
  EXPECT_FALSE(multipart.feed("--B\r\n" + std::string(20'000, 'x')));
}

TEST(ABoundary, IsReadFromTheContentType) {
  EXPECT_EQ(Multipart::boundary_of("multipart/form-data; boundary=abc"), "abc");
  EXPECT_EQ(Multipart::boundary_of("Multipart/Form-Data; charset=x; boundary=\"a b\""), "a b");
  EXPECT_FALSE(Multipart::boundary_of("application/octet-stream"));
  EXPECT_FALSE(Multipart::boundary_of("multipart/form-data"));
}

TEST(ABrowserOfAnotherSite, ChangesNothing) {
  const auto refused = [](std::string_view method, bool upgrade, std::string_view origin, std::string_view site) {
    return refusal_of({.method = method, .upgrade = upgrade, .host = "host:8443", .origin = origin, .sec_fetch_site = site}).has_value();
  };
  EXPECT_TRUE(refused("POST", false, "http://evil", ""));
  EXPECT_TRUE(refused("GET", true, "http://evil", ""));
  EXPECT_TRUE(refused("DELETE", false, "", "cross-site"));
  EXPECT_TRUE(refused("PUT", false, "null", ""));
  EXPECT_FALSE(refused("GET", false, "http://evil", "cross-site"));
  EXPECT_FALSE(refused("POST", false, "https://host:8443", "same-origin"));
  EXPECT_FALSE(refused("POST", false, "", ""));
  EXPECT_FALSE(refused("GET", true, "ws+unix://%2fvar%2flib%2flxd%2funix.socket", ""));  // a program, not a page
  EXPECT_TRUE(refused("GET", true, "ws+unix://%2fvar%2flib%2flxd%2funix.socket", "cross-site"));
  EXPECT_TRUE(refusal_of({.method = "GET", .upgrade = false, .host = "a b", .origin = "", .sec_fetch_site = ""}).has_value());
}

}  // namespace
}  // namespace berth::rest
