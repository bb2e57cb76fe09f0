#include "daemon/helpers/multipart_reader.hpp"

#include <gtest/gtest.h>

#include <map>
#include <vector>

namespace berth::helpers {
namespace {

constexpr const char* kType = "multipart/form-data; boundary=x1y2";
const std::string kBody =
    "--x1y2\r\nContent-Disposition: form-data; name=\"metadata\"; filename=\"meta\"\r\n"
    "Content-Type: application/octet-stream\r\n\r\nfirst\r\n--x1y\r\n-end"
    "\r\n--x1y2\r\nContent-Disposition: form-data; name=rootfs; filename=\"root\"\r\n\r\n"
    "\r\n--second\r\n--x1y2--\r\n";

struct Seen {
  std::vector<std::string> names;
  std::map<std::string, std::string> parts;

  Result<MultipartReader> reader(std::string_view type = kType) {
    return MultipartReader::open(
        type,
        [this](const std::string& name) -> Result<void> {
          names.push_back(name);
          return {};
        },
        [this](std::string_view bytes) -> Result<void> {
          parts[names.back()].append(bytes);
          return {};
        });
  }
};

TEST(ABodyOfSeveralParts, IsTakenApartHoweverItArrives) {
  for (std::size_t step = 1; step <= kBody.size(); ++step) {
    Seen seen;
    auto reader = seen.reader();
    ASSERT_TRUE(reader);
    for (std::size_t at = 0; at < kBody.size(); at += step) ASSERT_TRUE(reader->take(std::string_view(kBody).substr(at, step)));
    EXPECT_TRUE(reader->finish());
    EXPECT_EQ(seen.names, (std::vector<std::string>{"metadata", "rootfs"})) << step;
    EXPECT_EQ(seen.parts["metadata"], "first\r\n--x1y\r\n-end");
    EXPECT_EQ(seen.parts["rootfs"], "\r\n--second");
  }
}

TEST(ABodyOfSeveralParts, ThatBreaksOffIsNoSuccess) {
  Seen seen;
  auto reader = seen.reader();
  ASSERT_TRUE(reader->take(std::string_view(kBody).substr(0, kBody.size() - 6)));
  EXPECT_FALSE(reader->finish());
}

// Rule 20: what a stranger sends between the parts is bounded.
TEST(ABodyOfSeveralParts, HasHeadsThatAreBounded) {
  Seen seen;
  auto reader = seen.reader();
  ASSERT_TRUE(reader->take("--x1y2\r\n"));
  Result<void> outcome;
  for (int i = 0; i < 100 && outcome; ++i) outcome = reader->take(std::string(1000, 'h'));
  EXPECT_FALSE(outcome);
}

TEST(ABodyOfSeveralParts, NeedsABoundary) {
  Seen seen;
  EXPECT_FALSE(seen.reader("multipart/form-data"));
  EXPECT_FALSE(seen.reader("multipart/form-data; boundary="));
  EXPECT_TRUE(seen.reader("multipart/form-data; boundary=\"quoted one\""));
}

}  // namespace
}  // namespace berth::helpers
