#include <gtest/gtest.h>

#include "daemon/adapters/image/helper_image_servers.hpp"

namespace berth::adapters {
namespace {

const std::string kPrint(64, 'a');

std::string answer(const std::string& fingerprint, const std::string& filename = "image.tar.xz",
                   const std::string& properties = R"({"os": "debian"})", const std::string& files = R"([{"url": "https://x/y", "size": 5}])") {
  return R"({"fingerprint": ")" + fingerprint + R"(", "architecture": "x86_64", "filename": ")" + filename +
         R"(", "size": 5, "created_at": 1700000000, "expires_at": 0, "by_alias": true, "properties": )" + properties +
         R"(, "files": )" + files + "}";
}

TEST(WhatAServerSaysOfAnImage, IsRead) {
  const auto image = parse_server_image(answer(kPrint));
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_EQ(image->fingerprint.str(), kPrint);
  EXPECT_EQ(image->properties, (ConfigMap{{"os", "debian"}}));
  EXPECT_TRUE(image->by_alias);
  EXPECT_EQ(image->files.at(0).url, "https://x/y");
}

// Rules 4 and 7: a stranger's words become names and texts only when they are of the right form.
TEST(WhatAServerSaysOfAnImage, IsRefusedWhenItIsOfAnotherForm) {
  for (const auto& text :
       {std::string("[]"), std::string("{"), answer("../../etc"), answer(std::string(64, 'A')), answer(kPrint, "../x"),
        answer(kPrint, R"(a\nb)"), answer(kPrint, "x", R"({"os": 5})"), answer(kPrint, "x", R"({"o\u001bs": "d"})"),
        answer(kPrint, "x", R"({"os": "\u0007"})"), answer(kPrint, "x", "{}", "[]"), answer(kPrint, "x", "{}", "[1]"),
        answer(kPrint, "x", "{}", R"([{"url": "https://x/y"}])")})
    EXPECT_EQ(parse_server_image(text).error().code, Code::InvalidArgument) << text;
}

TEST(AnImageServer, ThatCannotBeReachedIsSaid) {
  HelperImageServers servers(BERTH_HELPER);
  // Nobody listens on port 1 of this machine.
  const ports::ServerImageQuery query{
      .at = {.server = "https://127.0.0.1:1", .protocol = "lxd", .certificate = {}, .alias = "debian"}, .secret = {}, .project = {}};
  EXPECT_EQ(servers.find(query, {}).error().code, Code::Unavailable);
  auto bad = query;
  bad.at.certificate = "no certificate";
  EXPECT_EQ(servers.find(bad, {}).error().code, Code::InvalidArgument);
  bad = query;
  bad.at.server = "http://127.0.0.1:1";
  EXPECT_EQ(servers.find(bad, {}).error().code, Code::InvalidArgument);
}

}  // namespace
}  // namespace berth::adapters
