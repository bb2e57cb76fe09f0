#include "daemon/bus/options.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <limits>

namespace berth::bus {
namespace {

using ::testing::HasSubstr;

OptionReader reader_of(const std::string& key, sdbus::Variant value) { return OptionReader{VariantMap{{key, std::move(value)}}}; }

TEST(OptionReader, LeavesTargetsOfAbsentKeysAlone) {
  bool force = true;
  std::optional<std::string> name;
  OptionReader reader{VariantMap{}};
  reader.read("force", force);
  reader.read("name", name);
  EXPECT_TRUE(reader.finish());
  EXPECT_TRUE(force);
  EXPECT_FALSE(name);
}

TEST(OptionReader, NamesAKeyThatNobodyTook) {
  auto reader = reader_of("forse", sdbus::Variant{true});
  bool force = false;
  reader.read("force", force);
  const auto done = reader.finish();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::InvalidArgument);
  EXPECT_THAT(done.error().message, HasSubstr("'forse'"));
}

TEST(OptionReader, NamesAKeyOfTheWrongTypeAndTheTypeItWants) {
  auto reader = reader_of("force", sdbus::Variant{std::string("yes")});
  bool force = false;
  reader.read("force", force);
  const auto done = reader.finish();
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("'force'"));
  EXPECT_THAT(done.error().message, HasSubstr("must be b"));
  EXPECT_FALSE(force);
}

TEST(OptionReader, TellsTheFirstOfSeveralErrors) {
  OptionReader reader{VariantMap{{"a", sdbus::Variant{true}}, {"b", sdbus::Variant{true}}}};
  std::string text;
  reader.read("b", text);
  reader.read("a", text);
  EXPECT_THAT(reader.finish().error().message, HasSubstr("'b'"));
}

TEST(OptionReader, ReadsNamesThroughTheirRule) {
  std::optional<std::vector<InstanceName>> names;
  auto good = reader_of("names", sdbus::Variant{std::vector<std::string>{"web", "db"}});
  good.read("names", names);
  EXPECT_TRUE(good.finish());
  ASSERT_TRUE(names);
  EXPECT_EQ(names->size(), 2U);

  auto bad = reader_of("names", sdbus::Variant{std::vector<std::string>{"web", "../etc"}});
  bad.read("names", names);
  EXPECT_THAT(bad.finish().error().message, HasSubstr("'names'"));
}

TEST(OptionReader, RefusesATimeThatNoClockHas) {
  std::optional<Timestamp> time;
  auto reader = reader_of("expires-at", sdbus::Variant{std::numeric_limits<std::uint64_t>::max()});
  reader.read("expires-at", time);
  EXPECT_FALSE(reader.finish());
  EXPECT_FALSE(time);
}

TEST(OptionReader, RefusesATerminalWiderThanAnyIs) {
  std::uint16_t width = 80;
  auto widest = reader_of("width", sdbus::Variant{std::uint32_t{65535}});
  widest.read("width", width);
  EXPECT_TRUE(widest.finish());
  EXPECT_EQ(width, 65535);
  auto wider = reader_of("width", sdbus::Variant{std::uint32_t{65536}});
  wider.read("width", width);
  EXPECT_FALSE(wider.finish());
}

TEST(OptionReader, KeepsADescriptorAsItsOwnClosedOnExec) {  // rule 18
  const int raw = ::open("/dev/null", O_RDONLY);
  std::optional<UniqueFd> fd;
  auto reader = reader_of("rootfs", sdbus::Variant{sdbus::UnixFd{raw, sdbus::adopt_fd}});
  reader.read("rootfs", fd);
  ASSERT_TRUE(reader.finish());
  ASSERT_TRUE(fd);
  EXPECT_NE(::fcntl(fd->get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(TakeFd, IsAnErrorWhenNoDescriptorCame) { EXPECT_FALSE(take_fd(sdbus::UnixFd{})); }

TEST(NoOptions, AcceptsNoneAndRefusesAny) {
  EXPECT_TRUE(no_options({}));
  EXPECT_FALSE(no_options({{"x", sdbus::Variant{1}}}));
}

}  // namespace
}  // namespace berth::bus
