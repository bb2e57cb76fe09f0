#include "daemon/helpers/report.hpp"

#include <gtest/gtest.h>

namespace berth::helpers {
namespace {

TEST(Shown, KeepsTextOfAnyLanguage) {
  EXPECT_EQ(shown("rootfs/etc"), "`rootfs/etc`");
  EXPECT_EQ(shown("日本 é 🐧"), "`日本 é 🐧`");
  EXPECT_EQ(shown(""), "``");
}

TEST(Shown, SpellsOutWhatWouldSteerATerminalOrBreakALine) {  // rule 7
  EXPECT_EQ(shown("a\nb\x1b[2J\x7f"), "`a\\x0ab\\x1b[2J\\x7f`");
  EXPECT_EQ(shown("\xc2\x9b"), "`\\xc2\\x9b`") << "the one-byte form of ESC [";
  EXPECT_EQ(shown(std::string_view("\0", 1)), "`\\x00`");
}

TEST(Shown, SpellsOutWhatIsNoText) {
  EXPECT_EQ(shown("\xff\xfe"), "`\\xff\\xfe`");
  EXPECT_EQ(shown("\xc3"), "`\\xc3`") << "cut in the middle of a character";
  EXPECT_EQ(shown("\xc0\xaf"), "`\\xc0\\xaf`") << "a slash in disguise";
}

TEST(Shown, CutsALongNameInItsMiddle) {  // rule 20
  const auto text = shown(std::string(5000, 'a') + "end");
  EXPECT_LT(text.size(), 450U);
  EXPECT_TRUE(text.ends_with("end`"));
  EXPECT_NE(text.find("..."), std::string::npos);
}

}  // namespace
}  // namespace berth::helpers
