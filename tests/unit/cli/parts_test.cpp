#include "cli/parts.hpp"

#include "cli/document.hpp"
#include "cli/download.hpp"

#include <gtest/gtest.h>

#include <map>
#include <sys/mman.h>
#include <unistd.h>

namespace berth::cli {
namespace {

using namespace std::string_literals;

rest::Response answer(const std::string& type, const std::string& body) {
  rest::Response response;
  response.headers.add("Content-Type", type);
  UniqueFd fd(::memfd_create("test", MFD_CLOEXEC));
  EXPECT_EQ(::write(fd.get(), body.data(), body.size()), static_cast<ssize_t>(body.size()));
  ::lseek(fd.get(), 0, SEEK_SET);
  response.body = rest::FileBody{.fd = std::move(fd), .size = body.size()};
  return response;
}

struct Read {
  std::map<std::string, std::string> parts;
  std::map<std::string, std::string> names;
  Result<void> result;
};

Read read(const rest::Response& response) {
  Read seen;
  seen.result = read_parts(response, [&](const std::string& name, const std::string& file) -> Result<TakeBytes> {
    seen.names[name] = file;
    auto& part = seen.parts[name];
    return TakeBytes([&part](std::string_view bytes) -> Result<void> {
      part += bytes;
      return {};
    });
  });
  return seen;
}

std::string two_parts(const std::string& first, const std::string& second) {
  return "--sep\r\nContent-Disposition: form-data; name=\"metadata\"; filename=\"meta.tar.xz\"\r\n\r\n" + first +
         "\r\n--sep\r\nContent-Type: x/y\r\ncontent-disposition: form-data; name=rootfs; filename=r.squashfs\r\n\r\n" +
         second + "\r\n--sep--\r\n";
}

TEST(Parts, OfOneFileAreThatFile) {
  const auto seen = read(answer("application/octet-stream", "bytes\0more"s));
  ASSERT_TRUE(seen.result);
  EXPECT_EQ(seen.parts.at(""), "bytes\0more"s);
}

TEST(Parts, OfSeveralDescriptorsAreThoseOfOneBody) {
  rest::Response response;
  response.headers.add("Content-Type", "multipart/form-data; boundary=sep");
  rest::PartsBody body;
  for (const std::string name : {"metadata", "rootfs"}) {
    auto part = answer("", "bytes of " + name);
    body.parts.push_back({.before = (name == "rootfs" ? "\r\n"s : ""s) + "--sep\r\nContent-Disposition: form-data; name=" + name + "\r\n\r\n",
                          .file = std::move(std::get<rest::FileBody>(part.body))});
  }
  body.after = "\r\n--sep--\r\n";
  response.body = std::move(body);
  const auto seen = read(response);
  ASSERT_TRUE(seen.result) << seen.result.error().message;
  EXPECT_EQ(seen.parts.at("metadata"), "bytes of metadata");
  EXPECT_EQ(seen.parts.at("rootfs"), "bytes of rootfs");
}

TEST(Parts, AreToldApart) {
  const auto big = std::string(700'000, 'x') + "\r\n--se" + std::string(300'000, 'y');
  const auto seen = read(answer("multipart/form-data; boundary=sep", two_parts("meta", big)));
  ASSERT_TRUE(seen.result) << seen.result.error().message;
  EXPECT_EQ(seen.parts.at("metadata"), "meta");
  EXPECT_EQ(seen.parts.at("rootfs"), big);
  EXPECT_EQ(seen.names.at("metadata"), "meta.tar.xz");
  EXPECT_EQ(seen.names.at("rootfs"), "r.squashfs");
}

TEST(Parts, ThatBreakOffAreAnError) {
  const auto whole = two_parts("meta", "root");
  EXPECT_FALSE(read(answer("multipart/form-data; boundary=sep", whole.substr(0, whole.size() - 12))).result);
  EXPECT_FALSE(read(answer("multipart/form-data; boundary=other", whole)).result);
  auto shorter = answer("application/octet-stream", "bytes");
  std::get<rest::FileBody>(shorter.body).size = 6;
  EXPECT_FALSE(read(shorter).result);
}

TEST(Parts, AreNoJson) { EXPECT_FALSE(read(answer("application/json", "{}")).result); }

TEST(Downloads, HaveTheExtensionOfTheirKind) {
  EXPECT_EQ(extension_of("\x1f\x8b\x08"), ".tar.gz");
  EXPECT_EQ(extension_of("\xfd"
                         "7zXZ"),
            ".tar.xz");
  EXPECT_EQ(extension_of("hsqs...."), ".squashfs");
  EXPECT_EQ(extension_of("./"), ".tar");
  EXPECT_EQ(extension_of(""), ".tar");
}

TEST(Documents, KeepTheKindsOfMembersInMaps) {
  const auto read = read_document("templates:\n  /etc/hosts:\n    when: [create]\n    create_only: true\n", kMetadata);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ((*read)["templates"]["/etc/hosts"]["create_only"], true);
  EXPECT_EQ((*read)["templates"]["/etc/hosts"]["when"], Json::array({"create"}));
  EXPECT_FALSE(read_document("templates: [x]", kMetadata));
}

}  // namespace
}  // namespace berth::cli
